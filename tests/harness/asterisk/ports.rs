//! Ports that stay reserved while a switch is down.
//!
//! They lie below the kernel's range of ephemeral ports, so that no other socket gets one by chance while an Asterisk
//! restarts, and in blocks, so that the RTP ranges of instances side by side don't overlap. The process that holds the first
//! port of a block open has claimed the block; the kernel frees it however the process ends.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::ops::RangeInclusive;

use anyhow::{Context, Result};

const FIRST: u16 = 20_000;
const LAST: u16 = 32_599;
const BLOCK: u16 = 200;

/// A block of ports on 127.0.0.1, claimed until it is dropped.
#[derive(Debug)]
pub struct Ports {
    /// SIP over UDP.
    pub sip: SocketAddr,
    /// AMI.
    pub ami: SocketAddr,
    /// For a FastAGI server of the test, which may stop and start again.
    pub agi: SocketAddr,
    /// RTP: enough for 90 legs.
    pub rtp: RangeInclusive<u16>,
    _claim: TcpListener,
}

impl Ports {
    /// Claims a free block.
    pub fn claim() -> Result<Self> {
        (FIRST..=LAST).step_by(usize::from(BLOCK)).find_map(Self::claim_at).context(
            "all the ports between 20000 and 32600 are taken; are Asterisks of earlier tests still running?",
        )
    }

    fn claim_at(first: u16) -> Option<Self> {
        let at = |offset| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), first + offset);
        let claim = TcpListener::bind(at(0)).ok()?;
        let (sip, ami, agi) = (at(1), at(2), at(3));
        UdpSocket::bind(sip).ok()?;
        TcpListener::bind(ami).ok()?;
        TcpListener::bind(agi).ok()?;
        Some(Self { sip, ami, agi, rtp: first + 10..=first + BLOCK - 1, _claim: claim })
    }
}
