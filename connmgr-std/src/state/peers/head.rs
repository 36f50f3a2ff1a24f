//! The head: how much the file has, so that what is lost can be told, and the secret of the book's tables.

use connmgr_core::BookSecret;

use super::Reader;

/// The one record of the first and the last section. A newer release may write more behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The number of sections, both heads included.
    pub(super) sections: u64,
    pub(super) addresses: u64,
    pub(super) anchors: u64,
    pub(super) secret: Option<BookSecret>,
}

impl Head {
    pub(super) fn write(&self) -> Vec<u8> {
        let Self { sections, addresses, anchors, secret } = self;
        let mut body = Vec::new();
        for count in [sections, addresses, anchors] {
            body.extend_from_slice(&count.to_le_bytes());
        }
        body.push(secret.is_some().into());
        if let Some(BookSecret(secret)) = secret {
            body.extend_from_slice(secret);
        }
        body
    }

    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let mut body = Reader::new(body);
        let (sections, addresses, anchors) = (body.u64()?, body.u64()?, body.u64()?);
        let secret = match body.u8()? {
            0 => None,
            _ => Some(BookSecret(body.array()?)),
        };
        Some(Self { sections, addresses, anchors, secret })
    }
}
