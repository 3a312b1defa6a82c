//! A context of the dialplan as FreeSWITCH has loaded it: with included files, and without comments.

use roxmltree::{Document, Node};

use super::Inspection;
use crate::switch::SwitchError;

#[derive(Debug)]
pub(super) struct Context {
    pub(super) extensions: Vec<Extension>,
}

#[derive(Debug)]
pub(super) struct Extension {
    pub(super) name: String,
    /// Whether a call that it matched goes on to the next extension.
    pub(super) continues: bool,
    /// Whether each condition is one test, all must be true, and nothing is done otherwise.
    pub(super) plain: bool,
    pub(super) tests: Vec<Test>,
    pub(super) actions: Vec<Action>,
}

#[derive(Debug)]
pub(super) struct Action {
    pub(super) application: String,
    pub(super) data: String,
}

/// A field that is compared with an expression.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Test {
    pub(super) field: String,
    pub(super) expression: String,
}

impl Inspection<'_> {
    /// The context of this name; `None` if the dialplan has none.
    pub(super) async fn context(&self, name: &str) -> Result<Option<Context>, SwitchError> {
        let located = self.client.api(&format!("xml_locate dialplan context name {name}")).await?;
        // If there is none, FreeSWITCH answers with a text.
        let Some(xml) = located.filter(|xml| xml.starts_with('<')) else { return Ok(None) };
        Context::read(&xml, name)
            .map_err(|error| SwitchError::Refused(format!("xml_locate dialplan {name}"), error.to_string()))
    }

    /// Which of these FreeSWITCH answers with `true`.
    pub(super) async fn are_true(
        &self,
        commands: impl IntoIterator<Item = String>,
    ) -> Result<Vec<bool>, SwitchError> {
        let answers = self.ask(commands).await?;
        Ok(answers.iter().map(|answer| answer.as_deref() == Some("true")).collect())
    }
}

/// Asks whether an expression matches what was dialled. `regex` takes a backslash for an escape.
pub(in crate::freeswitch) fn regex(dialled: &str, expression: &str) -> String {
    format!("regex m:~{dialled}~{}", expression.replace('\\', r"\\"))
}

impl Context {
    /// A binding of the dialplan, such as that of `mod_xml_curl`, may answer with another context.
    fn read(xml: &str, name: &str) -> Result<Option<Self>, roxmltree::Error> {
        let read = Document::parse(xml)?;
        let named = |node: &Node<'_, '_>| {
            node.has_tag_name("context")
                && node.attribute("name").is_some_and(|it| it.eq_ignore_ascii_case(name))
        };
        let context = read.descendants().find(named);
        Ok(context.map(|context| {
            let extensions = context.descendants().filter(|node| node.has_tag_name("extension"));
            Self { extensions: extensions.map(Extension::read).collect() }
        }))
    }

    pub(super) fn tests(&self) -> impl Iterator<Item = &Test> {
        self.extensions.iter().flat_map(|extension| &extension.tests)
    }

    pub(super) fn does(&self, data: impl Fn(&str) -> bool) -> bool {
        self.extensions.iter().flat_map(|extension| &extension.actions).any(|action| data(&action.data))
    }
}

impl Extension {
    fn read(extension: Node<'_, '_>) -> Self {
        let actions = extension.descendants().filter(|node| node.has_tag_name("action"));
        let attribute = |node: Node<'_, '_>, name: &str| node.attribute(name).unwrap_or_default().to_owned();
        let odd = |node: Node<'_, '_>| {
            let elsewhere = node.has_tag_name("condition") && node.parent() != Some(extension);
            let breaks = node.attribute("break").is_some_and(|it| it != "on-false");
            elsewhere || breaks || node.has_tag_name("regex") || node.has_tag_name("anti-action")
        };
        Self {
            name: attribute(extension, "name"),
            continues: extension.attribute("continue") == Some("true"),
            plain: !extension.descendants().any(odd),
            tests: extension.descendants().filter_map(Test::read).collect(),
            actions: actions
                .map(|it| Action { application: attribute(it, "application"), data: attribute(it, "data") })
                .collect(),
        }
    }
}

impl Test {
    /// The test in a `<condition>` or a `<regex>`. FreeSWITCH takes the expression from an attribute or a child.
    fn read(node: Node<'_, '_>) -> Option<Self> {
        let field = node.attribute("field")?.to_owned();
        let child = || node.children().find(|child| child.has_tag_name("expression"))?.text();
        let expression = node.attribute("expression").or_else(child).unwrap_or_default().to_owned();
        Some(Self { field, expression })
    }

    pub(super) fn is_of_number(&self) -> bool {
        self.field.trim_start_matches("${").trim_end_matches('}') == "destination_number"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_read_as_freeswitch_writes_it() {
        let xml = r#"<context name="out">
  <extension name="help" continue="true">
    <condition field="destination_number" expression="^(1|9)(?&lt;x&gt;\d&amp;?)$" break="never"/>
    <condition><regex field="${destination_number}" expression='"112"'/></condition>
    <condition field="network_addr">
      <expression><![CDATA[^<10>$]]></expression>
      <action application="bridge" data="sofia/gateway/out/$1"/>
      <action application="answer"/>
    </condition>
  </extension>
</context>
"#;
        let context = Context::read(xml, "out").unwrap().unwrap();
        let tests: Vec<_> = context.tests().map(|it| (it.is_of_number(), it.expression.as_str())).collect();
        assert_eq!(tests, [(true, r"^(1|9)(?<x>\d&?)$"), (true, "\"112\""), (false, "^<10>$")]);
        let [extension] = context.extensions.as_slice() else { panic!("{context:?}") };
        assert_eq!((extension.name.as_str(), extension.actions.len()), ("help", 2));
        assert!(context.does(|data| data.starts_with("sofia/")));
    }

    #[test]
    fn what_is_not_a_context_is_none_and_what_is_not_xml_is_an_error() {
        assert!(Context::read("<context name=\"public\"/>", "out").unwrap().is_none());
        assert!(Context::read("<section name=\"dialplan\"/>", "out").unwrap().is_none());
        assert!(Context::read("<context name=\"cut\"><extension", "cut").is_err());
    }
}
