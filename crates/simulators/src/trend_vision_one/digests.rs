//! The three digests by which the vendor names a file or a URL.

use md5::Md5;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// `{"md5","sha1","sha256"}` in lower-case hexadecimal.
pub(super) fn digests(bytes: &[u8]) -> Value {
    json!({
        "md5": hex::encode(Md5::digest(bytes)),
        "sha1": hex::encode(Sha1::digest(bytes)),
        "sha256": hex::encode(Sha256::digest(bytes)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_standards() {
        let digests = digests(b"abc");
        assert_eq!(digests["md5"], "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(digests["sha1"], "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert!(digests["sha256"].as_str().is_some_and(|text| text.starts_with("ba7816bf")));
    }
}
