//! Numbers of addresses: who was told one has the book find the address again without hashing it.

use crate::types::PeerAddress;

/// Where the book keeps an address.
///
/// Once the address is forgotten, its number may be given to another one. So a number is used together with its address
/// ([`Numbered`]), and the book compares that with what it keeps there. This costs less than a generation, which would
/// need memory for each known address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AddressId(pub(super) u32);

/// An address, with its number if the caller was told one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbered<'a> {
    pub(super) address: &'a PeerAddress,
    pub(super) id: Option<AddressId>,
}

impl<'a> Numbered<'a> {
    pub(crate) const fn new(address: &'a PeerAddress, id: Option<AddressId>) -> Self {
        Self { address, id }
    }
}

impl<'a> From<&'a PeerAddress> for Numbered<'a> {
    fn from(address: &'a PeerAddress) -> Self {
        Self::new(address, None)
    }
}
