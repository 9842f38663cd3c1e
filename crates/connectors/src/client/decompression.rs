//! Decodes `Content-Encoding` while the body arrives, and stops at a cap.
//!
//! The cap is on decoded bytes, so that a small body cannot become a huge one. Memory never holds
//! more than the cap and one chunk.

use std::io::{self, Write};

use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// The first bytes of a gzip file.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// What the client offers to decode.
pub(super) const ACCEPTED: &str = "gzip, deflate";

/// Why a body cannot be decoded.
#[derive(Debug, thiserror::Error)]
pub(super) enum DecodeError {
    #[error("body is encoded as `{0}`, which was not asked for")]
    Unasked(String),
    #[error("body is larger than {0} bytes")]
    TooLarge(usize),
    #[error("compressed body is broken")]
    Broken(#[source] io::Error),
}

/// A body on its way in.
pub(super) struct Decoder {
    kind: Kind,
    cap: usize,
}

enum Kind {
    Identity(Capped),
    Gzip(MultiGzDecoder<Capped>),
    /// `deflate` means zlib, but some servers send bare deflate: the first byte tells.
    Undecided(Capped),
    Zlib(ZlibDecoder<Capped>),
    Deflate(DeflateDecoder<Capped>),
}

impl Decoder {
    /// A decoder for the value of a `Content-Encoding` header, empty when there is none.
    pub(super) fn new(encoding: &str, cap: usize) -> Result<Self, DecodeError> {
        let sink = Capped { bytes: Vec::new(), cap };
        let kind = match encoding.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Kind::Identity(sink),
            "gzip" | "x-gzip" => Kind::Gzip(MultiGzDecoder::new(sink)),
            "deflate" => Kind::Undecided(sink),
            other => return Err(DecodeError::Unasked(other.chars().take(40).collect())),
        };
        Ok(Self { kind, cap })
    }

    /// Takes the next bytes from the wire.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Result<(), DecodeError> {
        let Some(first) = chunk.first() else { return Ok(()) };
        if let Kind::Undecided(sink) = &mut self.kind {
            let sink = Capped { bytes: std::mem::take(&mut sink.bytes), cap: sink.cap };
            self.kind = if first & 0x0f == 8 {
                Kind::Zlib(ZlibDecoder::new(sink))
            } else {
                Kind::Deflate(DeflateDecoder::new(sink))
            };
        }
        let written = match &mut self.kind {
            Kind::Identity(sink) | Kind::Undecided(sink) => sink.write_all(chunk),
            Kind::Gzip(decoder) => decoder.write_all(chunk),
            Kind::Zlib(decoder) => decoder.write_all(chunk),
            Kind::Deflate(decoder) => decoder.write_all(chunk),
        };
        written.map_err(|error| self.explain(error))
    }

    /// The decoded body.
    pub(super) fn finish(self) -> Result<Vec<u8>, DecodeError> {
        let cap = self.cap;
        let sink = match self.kind {
            Kind::Identity(sink) | Kind::Undecided(sink) => Ok(sink),
            Kind::Gzip(decoder) => decoder.finish(),
            Kind::Zlib(decoder) => decoder.finish(),
            Kind::Deflate(decoder) => decoder.finish(),
        };
        sink.map(|sink| sink.bytes).map_err(|error| explain(error, cap))
    }

    fn explain(&self, error: io::Error) -> DecodeError {
        explain(error, self.cap)
    }
}

fn explain(error: io::Error, cap: usize) -> DecodeError {
    if error.kind() == io::ErrorKind::FileTooLarge {
        DecodeError::TooLarge(cap)
    } else {
        DecodeError::Broken(error)
    }
}

/// Bytes up to a cap.
struct Capped {
    bytes: Vec<u8>,
    cap: usize,
}

impl Write for Capped {
    fn write(&mut self, chunk: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + chunk.len() > self.cap {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.bytes.extend_from_slice(chunk);
        Ok(chunk.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What could be unpacked of a gzip file.
#[derive(Debug)]
pub struct Unpacked {
    /// The bytes up to the problem.
    pub bytes: Vec<u8>,
    /// Why there are no more, when the file is broken, cut or larger than the cap.
    pub problem: Option<String>,
    /// Whether the problem is that it is larger than the cap.
    pub is_longer: bool,
}

/// Whether bytes begin like a gzip file.
pub fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&GZIP_MAGIC)
}

/// Unpacks a gzip file, of one member or several, up to `cap` bytes.
pub fn gunzip(packed: &[u8], cap: usize) -> Unpacked {
    let mut decoder = MultiGzDecoder::new(Capped { bytes: Vec::new(), cap });
    let ended = decoder.write_all(packed).and_then(|()| decoder.try_finish());
    let bytes = std::mem::take(&mut decoder.get_mut().bytes);
    let error = ended.err().map(|error| explain(error, cap));
    let is_longer = matches!(error, Some(DecodeError::TooLarge(_)));
    let problem = error.map(|error| match error {
        DecodeError::Broken(cause) => cause.to_string(),
        other => other.to_string(),
    });
    Unpacked { bytes, problem, is_longer }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn decoded(encoding: &str, body: &[u8], cap: usize) -> Result<Vec<u8>, DecodeError> {
        let mut decoder = Decoder::new(encoding, cap)?;
        for chunk in body.chunks(7) {
            decoder.push(chunk)?;
        }
        decoder.finish()
    }

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_accepted_encoding_comes_back_as_it_was() {
        let plain = b"{\"security_events\":[]}".repeat(50);
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(&plain).unwrap();
        let mut bare = DeflateEncoder::new(Vec::new(), Compression::fast());
        bare.write_all(&plain).unwrap();
        assert_eq!(decoded("", &plain, 5_000).unwrap(), plain);
        assert_eq!(decoded("GZip", &gzip(&plain), 5_000).unwrap(), plain);
        assert_eq!(decoded("deflate", &zlib.finish().unwrap(), 5_000).unwrap(), plain);
        assert_eq!(decoded("deflate", &bare.finish().unwrap(), 5_000).unwrap(), plain);
    }

    #[test]
    fn a_bomb_stops_at_the_cap() {
        let bomb = gzip(&vec![b'x'; 1 << 20]);
        assert!(bomb.len() < 5_000);
        assert!(matches!(decoded("gzip", &bomb, 1_000), Err(DecodeError::TooLarge(1_000))));
        assert!(matches!(decoded("", &[b'x'; 11], 10), Err(DecodeError::TooLarge(10))));
        assert_eq!(decoded("", &[b'x'; 10], 10).unwrap().len(), 10);
    }

    #[test]
    fn a_file_is_unpacked_as_far_as_it_goes() {
        let (one, two) = (gzip(b"one "), gzip(b"two"));
        let whole = gunzip(&[one.clone(), two.clone()].concat(), 100);
        assert_eq!((whole.bytes.as_slice(), whole.problem), (&b"one two"[..], None));
        let cut = gunzip(&[&one[..], &two[..two.len() - 5]].concat(), 100);
        assert_eq!(cut.bytes, b"one two");
        assert!(cut.problem.is_some());
        let bomb = gunzip(&gzip(&vec![b'x'; 1 << 20]), 1_000);
        assert!(bomb.bytes.len() <= 1_000 && bomb.problem.unwrap().contains("1000 bytes"));
        assert!(is_gzip(&one) && !is_gzip(b"{}"));
    }

    #[test]
    fn broken_cut_and_unasked_encodings_are_told() {
        assert!(matches!(decoded("gzip", b"plain text", 100), Err(DecodeError::Broken(_))));
        let whole = gzip(b"a body that is cut in the middle of its compressed form");
        let cut = &whole[..whole.len() - 9];
        assert!(matches!(decoded("gzip", cut, 100), Err(DecodeError::Broken(_))));
        assert!(matches!(decoded("br", b"", 100), Err(DecodeError::Unasked(_))));
    }
}
