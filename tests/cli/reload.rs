//! `hotdesk reload` tells the running `hotdesk serve` to read the configuration again, and says what it answered.

use std::net::{SocketAddr, TcpListener};

use super::mode;
use crate::harness::hotdesk::Hotdesk;

/// For an Asterisk that cannot be reached: nothing listens on port 1.
fn hotdesk() -> Hotdesk {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let program = [env!("CARGO_BIN_EXE_hotdesk").into()];
    Hotdesk::new(&program, "sqlite:hotdesk.db", SocketAddr::from(([127, 0, 0, 1], 1)), free).unwrap()
}

/// Its exit code, and what it said.
fn reload(hotdesk: &Hotdesk) -> (i32, String) {
    let output = hotdesk.output(&["reload"], "").unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

fn sockets(hotdesk: &Hotdesk) -> Vec<std::path::PathBuf> {
    let files = std::fs::read_dir(hotdesk.folder()).unwrap().map(|file| file.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == "sock")).collect()
}

#[test]
fn reload_says_what_serve_answers() {
    let mut hotdesk = hotdesk();
    let (code, said) = reload(&hotdesk);
    assert!(code == 1 && said.contains("no hotdesk serve with the configuration"), "{said}");
    hotdesk.spawn().unwrap();
    hotdesk.wait_for_log(0, "event=\"serve.started\"").unwrap();
    let [socket] = &sockets(&hotdesk)[..] else { panic!("{:?}", sockets(&hotdesk)) };
    assert_eq!(mode(socket), 0o600);

    assert_eq!(reload(&hotdesk), (0, "hotdesk serve has read the configuration again\n".into()));
    hotdesk.configure("[codes]\npresets = [\"simmpl\", \"personal\"]\n[log]\nformat = \"json\"\n").unwrap();
    let (code, said) = reload(&hotdesk);
    assert!(code == 0 && said.starts_with("hotdesk serve has read the configuration again\n"), "{said}");
    assert!(said.contains("hotdesk: a change in [log] needs a restart\n"), "{said}");
    assert!(said.contains("hotdesk: the codes changed: run hotdesk dialplan install"), "{said}");
    hotdesk.wait_for_log(0, "event=\"reload.codes\"").unwrap();

    // What the file says when serve reads it counts, not what it said to the command.
    hotdesk.configure("").unwrap();
    let pepper = hotdesk.path("hotdesk.pepper");
    std::fs::rename(&pepper, hotdesk.path("away")).unwrap();
    let (code, said) = reload(&hotdesk);
    assert!(code == 1 && said.contains("hotdesk serve keeps the old configuration: "), "{said}");
    assert!(said.contains("hotdesk.pepper"), "{said}");
    std::fs::rename(hotdesk.path("away"), &pepper).unwrap();
    hotdesk.configure("[login]\nkeep = 99\n").unwrap();
    let (code, said) = reload(&hotdesk);
    assert!(code == 64 && said.contains("[login] keep is 99"), "{said}");

    hotdesk.configure("").unwrap();
    hotdesk.stop().unwrap();
    assert_eq!(sockets(&hotdesk), [] as [std::path::PathBuf; 0]);
    assert_eq!(reload(&hotdesk).0, 1);
}

#[test]
fn a_socket_that_a_killed_serve_left_behind_is_taken_over() {
    let mut hotdesk = hotdesk();
    for _ in 0..2 {
        let mark = hotdesk.log().len();
        hotdesk.spawn().unwrap();
        hotdesk.wait_for_log(mark, "event=\"serve.started\"").unwrap();
        assert_eq!(reload(&hotdesk).0, 0);
        hotdesk.kill().unwrap();
        assert_eq!(sockets(&hotdesk).len(), 1);
        assert_eq!(reload(&hotdesk).0, 1);
    }
}
