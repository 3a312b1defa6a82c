//! A stream with its decoder: enough for a login, with one command at a time.

use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::time::timeout;
use tokio_util::codec::Decoder;

use super::state::Ended;

/// How many bytes one read makes room for.
const READ: usize = 16 * 1024;

/// A stream to a peer, and the decoder of what the peer sends.
pub(crate) struct Wire<S, D> {
    pub(super) reader: ReadHalf<S>,
    pub(super) writer: WriteHalf<S>,
    pub(super) input: BytesMut,
    decoder: D,
    /// The peer's name in errors: `Asterisk`.
    pub(super) peer: &'static str,
}

impl<S: AsyncRead + AsyncWrite, D: Decoder<Error: Into<Ended>> + Default> Wire<S, D> {
    pub(crate) fn new(stream: S, peer: &'static str) -> Self {
        let (reader, writer) = split(stream);
        Self { reader, writer, input: BytesMut::new(), decoder: D::default(), peer }
    }

    /// The next frame in the bytes that were received.
    pub(crate) fn decoded(&mut self) -> Result<Option<D::Item>, D::Error> {
        self.decoder.decode(&mut self.input)
    }

    /// Waits for more bytes.
    pub(crate) async fn receive(&mut self) -> Result<(), Ended> {
        receive(&mut self.reader, &mut self.input, self.peer).await
    }

    /// The next frame. Cancelling loses nothing.
    pub(crate) async fn read(&mut self) -> Result<D::Item, Ended> {
        loop {
            if let Some(frame) = self.decoded().map_err(Into::into)? {
                return Ok(frame);
            }
            self.receive().await?;
        }
    }

    /// Writes all of `bytes`.
    pub(crate) async fn write(&mut self, bytes: &[u8], deadline: Duration) -> Result<(), Ended> {
        let late = |_| Ended::late(self.peer, "read a command", deadline);
        Ok(timeout(deadline, self.writer.write_all(bytes)).await.map_err(late)??)
    }
}

/// Reads the available bytes. Cancelling loses nothing.
pub(super) async fn receive<S: AsyncRead>(
    reader: &mut ReadHalf<S>,
    input: &mut BytesMut,
    peer: &str,
) -> Result<(), Ended> {
    input.reserve(READ);
    if reader.read_buf(input).await? == 0 {
        return Err(Ended::Lost(format!("{peer} closed the connection")));
    }
    Ok(())
}
