//! The answers of the `db` command (1.10.12).

use super::rows::BUSY;
use crate::freeswitch::esl::client::Client;
use crate::freeswitch::esl::codec::{Response, Said};
use crate::switch::SwitchError;

/// `db list` answers with no more than 4095 bytes, and the last key of such an answer may be half a key.
const LIST_LIMIT: usize = 4000;

/// The keys of a realm that `db list` shows, in the order in which they were written, and whether there may be more.
pub(crate) async fn list(client: &Client, realm: &str) -> Result<(Vec<String>, bool), SwitchError> {
    let list = client.api(&format!("db list/{realm}")).await?.unwrap_or_default();
    let cut = list.rsplit_once(',').filter(|_| list.len() >= LIST_LIMIT);
    let keys = cut.map_or(&*list, |(whole, _)| whole).split(',').filter(|key| !key.is_empty());
    Ok((keys.map(Into::into).collect(), cut.is_some()))
}

/// The value at a key; none, if there is no such key.
pub(crate) fn value(response: &Response) -> Result<Option<&str>, SwitchError> {
    match response.said() {
        Said::Value(value) => Ok(Some(value)),
        Said::Nothing => Ok(None),
        // A value of Hotdesk that begins like an error: `db` itself has no error of this kind.
        Said::Error(_) if response.text() == BUSY => Ok(Some(BUSY)),
        Said::Error(why) => Err(SwitchError::Refused("db".into(), why.into())),
    }
}
