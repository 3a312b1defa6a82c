//! A program that FreeSWITCH asks for XML by `mod_xml_curl`, in the test's own process.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use percent_encoding::percent_decode_str;

use super::FreeSwitch;

const CONFIGURATION: &str = "<section name=\"configuration\">";

/// What FreeSWITCH asks for: `section`, `key_value`, `user`, and what it knows of a call.
pub struct Question(BTreeMap<String, String>);

impl Question {
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

impl FreeSwitch {
    /// From now on `answer` is asked for these sections of the XML. It answers with a section, or knows nothing; then
    /// FreeSWITCH takes its files.
    pub fn bind<A>(&self, sections: &str, answer: A) -> Result<()>
    where
        A: Fn(&Question) -> Option<String> + Send + Sync + 'static,
    {
        let url = format!("http://{}/", serve(Arc::new(answer))?);
        let curl = format!(
            "{CONFIGURATION}\n<configuration name=\"xml_curl.conf\"><bindings><binding name=\"site\"><param \
             name=\"gateway-url\" value=\"{url}\" bindings=\"{sections}\"/></binding></bindings></configuration>"
        );
        let path = self.path("conf/freeswitch.xml");
        let site = fs::read_to_string(&path)?;
        ensure!(site.contains(CONFIGURATION), "{site}");
        fs::write(&path, site.replacen(CONFIGURATION, &curl, 1))?;
        self.api("reloadxml")?;
        let loaded = self.api("load mod_xml_curl")?;
        ensure!(loaded.contains("+OK"), "mod_xml_curl: {loaded}");
        Ok(())
    }
}

fn serve<A>(answer: Arc<A>) -> Result<SocketAddr>
where
    A: Fn(&Question) -> Option<String> + Send + Sync + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let answer = answer.clone();
            thread::spawn(move || {
                let _ = respond(stream, &*answer);
            });
        }
    });
    Ok(address)
}

fn respond(mut stream: TcpStream, answer: &impl Fn(&Question) -> Option<String>) -> Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
        if line == "expect: 100-continue" {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8(body).context("a question in UTF-8")?;
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    let question = Question(pairs.map(|(name, value)| (decoded(name), decoded(value))).collect());
    let section = answer(&question)
        .unwrap_or_else(|| "<section name=\"result\"><result status=\"not found\"/></section>".into());
    let body = format!("<document type=\"freeswitch/xml\">{section}</document>");
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    Ok(stream.write_all((head + &body).as_bytes())?)
}

fn decoded(value: &str) -> String {
    percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned()
}
