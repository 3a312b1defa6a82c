//! The structure of the source tree: imports run downwards only, without circles, and no file is too long.
//!
//! Each source file is parsed. An import is any path that a `use` or the code writes out, followed through re-exports to the file
//! that holds the item. Unit tests (`mod tests`) are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{File, Item, ItemMod, ItemUse, UseTree, Visibility};

/// Each top-level module, and the modules that it may import from.
const MAY_IMPORT: [(&str, &[&str]); 12] = [
    ("model", &[]),
    ("telemetry", &[]),
    ("config", &["model", "telemetry"]),
    ("store", &["model"]),
    ("switch", &["model"]),
    ("controller", &["model", "store", "switch"]),
    ("asterisk", &["model", "store", "switch", "controller"]),
    ("freeswitch", &["model", "store", "switch", "controller"]),
    ("web", &["model", "store", "switch", "controller"]),
    (
        "cli",
        &["model", "config", "telemetry", "store", "switch", "controller", "asterisk", "freeswitch", "web"],
    ),
    ("lib", &[]),
    ("main", &["cli"]),
];

/// The most lines that a file may have.
const MOST_LINES: usize = 500;

/// A module's path in the crate: `["asterisk", "ami", "client"]`.
type Module = Vec<String>;

/// One source file.
struct Source {
    path: PathBuf,
    module: Module,
    text: String,
    file: File,
}

/// A name that a file imports.
struct Import {
    /// From the root of the crate.
    path: Vec<String>,
    /// What it is called here; `None` for a glob.
    name: Option<String>,
    reexport: bool,
}

fn sources() -> Vec<Source> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = vec![];
    walk(&src, &mut found);
    found.sort();
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let path = path.strip_prefix(&src).unwrap().to_owned();
        let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Source { module: module(&path), path, text, file }
    };
    found.iter().map(read).filter(|source| source.path.file_stem().unwrap() != "tests").collect()
}

fn module(path: &Path) -> Module {
    let mut module: Module =
        path.with_extension("").components().map(|part| part.as_os_str().to_str().unwrap().into()).collect();
    if module.last().is_some_and(|last| last == "mod") || ["lib", "main"].contains(&module[0].as_str()) {
        module.pop();
    }
    module
}

fn layer(path: &Path) -> String {
    let first = path.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").into()
}

fn is_tests(item: &ItemMod) -> bool {
    item.ident == "tests" || item.attrs.iter().any(|attribute| attribute.path().is_ident("cfg"))
}

/// The children that a file declares.
fn children(file: &File) -> BTreeSet<String> {
    let declared = file.items.iter().filter_map(|item| match item {
        Item::Mod(child) if !is_tests(child) => Some(child.ident.to_string()),
        _ => None,
    });
    declared.collect()
}

/// `path` as written in `module`, from the root of the crate; `None` for a path of another crate.
fn absolute(path: &[String], module: &Module, children: &BTreeSet<String>) -> Option<Vec<String>> {
    let supers = path.iter().take_while(|part| *part == "super").count();
    match path.first()?.as_str() {
        "crate" | "hotdesk" => Some(path[1..].to_vec()),
        "self" => Some(module.iter().chain(&path[1..]).cloned().collect()),
        "super" => {
            let above = module.len().checked_sub(supers)?;
            Some(module[..above].iter().chain(&path[supers..]).cloned().collect())
        }
        first if children.contains(first) => Some(module.iter().chain(path).cloned().collect()),
        _ => None,
    }
}

/// What the `use` items of a file import from this crate.
fn uses(source: &Source) -> Vec<Import> {
    struct Uses<'a> {
        module: &'a Module,
        children: BTreeSet<String>,
        found: Vec<Import>,
    }
    fn flatten(tree: &UseTree, before: &[String], all: &mut Vec<(Vec<String>, Option<String>)>) {
        let with = |name: &syn::Ident| before.iter().cloned().chain([name.to_string()]).collect::<Vec<_>>();
        match tree {
            UseTree::Path(path) => flatten(&path.tree, &with(&path.ident), all),
            UseTree::Name(name) if name.ident == "self" => {
                all.push((before.to_vec(), before.last().cloned()));
            }
            UseTree::Name(name) => all.push((with(&name.ident), Some(name.ident.to_string()))),
            UseTree::Rename(rename) if rename.ident == "self" => {
                all.push((before.to_vec(), Some(rename.rename.to_string())));
            }
            UseTree::Rename(rename) => all.push((with(&rename.ident), Some(rename.rename.to_string()))),
            UseTree::Glob(_) => all.push((before.to_vec(), None)),
            UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, before, all)),
        }
    }
    impl<'ast> Visit<'ast> for Uses<'_> {
        fn visit_item_use(&mut self, item: &'ast ItemUse) {
            let mut all = vec![];
            flatten(&item.tree, &[], &mut all);
            for (path, name) in all {
                if let Some(path) = absolute(&path, self.module, &self.children) {
                    let reexport = !matches!(item.vis, Visibility::Inherited);
                    self.found.push(Import { path, name, reexport });
                }
            }
        }
        fn visit_item_mod(&mut self, item: &'ast ItemMod) {
            if !is_tests(item) {
                visit::visit_item_mod(self, item);
            }
        }
    }
    let mut uses = Uses { module: &source.module, children: children(&source.file), found: vec![] };
    uses.visit_file(&source.file);
    uses.found
}

/// The paths of several parts that the code of a file writes out, from the root of the crate.
fn written_out(source: &Source, imports: &[Import]) -> Vec<Vec<String>> {
    struct Paths<'a> {
        module: &'a Module,
        children: BTreeSet<String>,
        imports: &'a [Import],
        found: Vec<Vec<String>>,
    }
    impl<'ast> Visit<'ast> for Paths<'_> {
        fn visit_path(&mut self, path: &'ast syn::Path) {
            let parts: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
            if parts.len() > 1 && path.leading_colon.is_none() {
                let imported = self.imports.iter().find(|import| import.name.as_ref() == Some(&parts[0]));
                self.found.extend(match imported {
                    Some(import) => Some(import.path.iter().chain(&parts[1..]).cloned().collect()),
                    None => absolute(&parts, self.module, &self.children),
                });
            }
            visit::visit_path(self, path);
        }
        fn visit_item_mod(&mut self, item: &'ast ItemMod) {
            if !is_tests(item) {
                visit::visit_item_mod(self, item);
            }
        }
        fn visit_item_use(&mut self, _: &'ast ItemUse) {}
        fn visit_visibility(&mut self, _: &'ast Visibility) {}
    }
    let children = children(&source.file);
    let mut paths = Paths { module: &source.module, children, imports, found: vec![] };
    paths.visit_file(&source.file);
    paths.found
}

/// From each file to the files that it imports from.
fn arrows(sources: &[Source]) -> Vec<BTreeSet<usize>> {
    let files: BTreeMap<&Module, usize> =
        sources.iter().enumerate().map(|(at, source)| (&source.module, at)).collect();
    let imports: Vec<Vec<Import>> = sources.iter().map(uses).collect();
    // A re-export leads to the file that holds the item.
    let holder = |path: &[String]| -> Option<usize> {
        let mut path = path.to_vec();
        for _ in 0..8 {
            let (at, item) = (1..=path.len())
                .rev()
                .find_map(|most| Some((*files.get(&path[..most].to_vec())?, path.get(most).cloned())))?;
            let passed_on = |import: &&Import| import.reexport && item.is_some() && import.name == item;
            match imports[at].iter().find(passed_on) {
                Some(import) if import.path != path => {
                    let rest = path.len() - sources[at].module.len() - 1;
                    path = import.path.iter().chain(&path[path.len() - rest..]).cloned().collect();
                }
                _ => return Some(at),
            }
        }
        None
    };
    let of = |at: usize| -> BTreeSet<usize> {
        let taken = imports[at].iter().filter(|import| !import.reexport).map(|import| import.path.clone());
        let all: Vec<Vec<String>> = taken.chain(written_out(&sources[at], &imports[at])).collect();
        all.iter().filter_map(|path| holder(path)).filter(|to| *to != at).collect()
    };
    (0..sources.len()).map(of).collect()
}

#[test]
fn imports_run_downwards_only() {
    for source in sources() {
        let layer = layer(&source.path);
        let (_, allowed) = MAY_IMPORT
            .iter()
            .find(|(name, _)| *name == layer)
            .unwrap_or_else(|| panic!("{}: unknown module; add it to MAY_IMPORT", source.path.display()));
        let imports = uses(&source);
        let written_out = written_out(&source, &imports);
        for path in imports.iter().map(|import| &import.path).chain(&written_out) {
            let Some(import) = path.first() else { continue };
            assert!(
                *import == layer || layer == "lib" || allowed.contains(&import.as_str()),
                "{} imports from `{import}`, which is not below it",
                source.path.display()
            );
        }
    }
}

#[test]
fn the_rules_are_pure() {
    for source in sources().iter().filter(|source| layer(&source.path) == "model") {
        for impure in
            ["async ", "tokio", "std::fs", "std::net::Tcp", "Timestamp::now", "Instant::now", "getrandom"]
        {
            assert!(!source.text.contains(impure), "{} uses {impure:?}", source.path.display());
        }
    }
}

#[test]
fn no_file_outgrows_its_subject() {
    for source in sources() {
        let lines = source.text.lines().count();
        assert!(lines <= MOST_LINES, "{} has {lines} lines", source.path.display());
    }
}

#[test]
fn every_module_with_children_is_a_folder_with_a_mod_rs() {
    for source in sources() {
        let is_root = ["lib.rs", "main.rs"].map(Path::new).contains(&source.path.as_path());
        let in_folder = source.path.file_stem().unwrap() == "mod";
        let tests_apart =
            |item: &Item| matches!(item, Item::Mod(child) if is_tests(child) && child.content.is_none());
        let has_children = !children(&source.file).is_empty() || source.file.items.iter().any(tests_apart);
        assert_eq!(
            in_folder || is_root,
            has_children || is_root,
            "{}: a module with children is name/mod.rs, one without is name.rs",
            source.path.display()
        );
    }
}

#[test]
fn no_files_go_in_a_circle_parents_and_children_included() {
    let sources = sources();
    let arrows = arrows(&sources);
    assert!(arrows.iter().map(BTreeSet::len).sum::<usize>() > 400, "the imports are read");
    let mut circles = BTreeSet::new();
    for start in 0..sources.len() {
        // The way back to the start, if there is one.
        let mut came_from: BTreeMap<usize, usize> = BTreeMap::new();
        let mut next = vec![start];
        while let Some(at) = next.pop() {
            for to in &arrows[at] {
                if !came_from.contains_key(to) {
                    came_from.insert(*to, at);
                    next.push(*to);
                }
            }
        }
        if came_from.contains_key(&start) {
            let mut way = vec![start];
            loop {
                let before = came_from[way.last().unwrap()];
                way.push(before);
                if before == start {
                    break;
                }
            }
            way.reverse();
            let names = way.iter().map(|at| sources[*at].path.display().to_string());
            circles.insert(names.collect::<Vec<_>>().join(" → "));
        }
    }
    let circles: Vec<String> = circles.into_iter().collect();
    assert!(circles.is_empty(), "move what both take into one of them:\n{}", circles.join("\n"));
}
