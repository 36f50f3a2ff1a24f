//! Follows a peer's chain of headers, checks linkage and work, and keeps only the tip.
//!
//! That shows that the peer serves a chain and how long it is. It is not enough to trust the chain: difficulty adjustments
//! and the contents of blocks are not checked. Memory is at most 2016 hashes, however long the chain. Read first: Core's headers-first sync, <https://developer.bitcoin.org/devguide/p2p_network.html#headers-first>.

use std::collections::VecDeque;

use bitcoin::block::{BlockHash, Header};
use bitcoin::blockdata::constants::genesis_block;
use bitcoin::params::Params;

use crate::violation::ProtocolViolation;

/// The most headers of one message: Core's `MAX_HEADERS_RESULTS`.
pub const MAX_HEADERS: usize = 2000;

/// The deepest reorganisation that is followed from its fork: two weeks of blocks. A deeper one is followed from the
/// genesis block.
const MAX_REORG: usize = 2016;

/// After so many headers we ask a peer for no more: twice the length of the main chain in 2026. A long chain with little
/// work is cheap to make.
const MAX_TOTAL: u64 = 2_000_000;

/// The result of a message of headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadersProgress {
    /// There may be more: ask again from the new locator.
    More,
    /// The peer has no more for now.
    UpToDate,
    /// They do not connect to what we know: ask from the locator, unless that was done and is not answered yet.
    Unconnected,
}

/// One peer's chain, as far as it was followed.
#[derive(Clone, Debug)]
pub struct HeaderChain {
    params: &'static Params,
    /// The last hashes of the chain, the newest last; never empty.
    recent: VecDeque<BlockHash>,
    /// The height of the newest.
    height: u32,
    received: u64,
}

impl HeaderChain {
    /// A chain with only its genesis block.
    pub fn new(params: &'static Params) -> Self {
        let genesis = genesis_block(params).block_hash();
        Self { params, recent: VecDeque::from([genesis]), height: 0, received: 0 }
    }

    /// The height of the tip.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// The locator of a `getheaders`: the newest hashes, then sparser and sparser ones, then the genesis block.
    pub fn locator(&self) -> Vec<BlockHash> {
        let mut hashes: Vec<_> = self.recent.iter().rev().take(10).copied().collect();
        let sparse = (4..).map(|power| 1 << power).map_while(|back: usize| self.recent.iter().rev().nth(back));
        hashes.extend(sparse);
        hashes.push(genesis_block(self.params).block_hash());
        hashes.dedup();
        hashes
    }

    /// Follows the headers of one message.
    ///
    /// Headers that do not connect are no offence: after a deep reorganisation an honest peer announces blocks that we
    /// can't place until it has answered our request.
    ///
    /// # Errors
    /// A [`ProtocolViolation`]; the chain is then as far as the good headers led.
    pub fn extend(&mut self, headers: &[Header]) -> Result<HeadersProgress, ProtocolViolation> {
        if headers.len() > MAX_HEADERS {
            return Err(ProtocolViolation::TooManyHeaders(headers.len()));
        }
        let Some(first) = headers.first() else { return Ok(HeadersProgress::UpToDate) };
        if !self.rewind_to(first.prev_blockhash) {
            return Ok(HeadersProgress::Unconnected);
        }
        headers.iter().try_for_each(|header| self.append(header))?;
        self.received += headers.len() as u64;
        let is_full = headers.len() == MAX_HEADERS && self.received < MAX_TOTAL;
        Ok(if is_full { HeadersProgress::More } else { HeadersProgress::UpToDate })
    }

    /// Makes a known block the tip again. Returns false if it is not known.
    fn rewind_to(&mut self, hash: BlockHash) -> bool {
        if let Some(index) = self.recent.iter().rposition(|known| *known == hash) {
            let dropped = self.recent.len() - 1 - index;
            self.recent.truncate(index + 1);
            self.height -= u32::try_from(dropped).expect("at most MAX_REORG");
            return true;
        }
        if hash == genesis_block(self.params).block_hash() {
            self.recent = VecDeque::from([hash]);
            self.height = 0;
            return true;
        }
        false
    }

    fn append(&mut self, header: &Header) -> Result<(), ProtocolViolation> {
        if self.recent.back() != Some(&header.prev_blockhash) {
            return Err(ProtocolViolation::BrokenChain);
        }
        let target = header.target();
        if target > self.params.max_attainable_target {
            return Err(ProtocolViolation::NoWork);
        }
        let hash = header.validate_pow(target).map_err(|_| ProtocolViolation::NoWork)?;
        self.recent.push_back(hash);
        if self.recent.len() > MAX_REORG {
            self.recent.pop_front();
        }
        self.height = self.height.saturating_add(1);
        Ok(())
    }
}

/// Mines a chain of headers on regtest, two tries each on average. For the loopback world and for tests.
pub fn mine_regtest(count: u32) -> Vec<Header> {
    let mut tip = genesis_block(&Params::REGTEST).header;
    let mine = |_| {
        tip = Header { prev_blockhash: tip.block_hash(), time: tip.time + 600, nonce: 0, ..tip };
        while tip.validate_pow(tip.target()).is_err() {
            tip.nonce += 1;
        }
        tip
    };
    (0..count).map(mine).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> HeaderChain {
        HeaderChain::new(&Params::REGTEST)
    }

    #[test]
    fn a_long_chain_is_followed_and_not_kept() {
        let headers = mine_regtest(4100);
        let mut chain = chain();
        assert_eq!(chain.extend(&headers[..2000]), Ok(HeadersProgress::More));
        assert_eq!(chain.extend(&headers[2000..4000]), Ok(HeadersProgress::More));
        assert_eq!(chain.extend(&headers[4000..]), Ok(HeadersProgress::UpToDate));
        assert_eq!(chain.extend(&[]), Ok(HeadersProgress::UpToDate));
        assert_eq!(chain.height(), 4100);
        assert_eq!(chain.locator()[0], headers[4099].block_hash());
        assert_eq!(chain.recent.len(), MAX_REORG);
    }

    #[test]
    fn a_reorganisation_rewinds() {
        let headers = mine_regtest(10);
        let mut chain = chain();
        chain.extend(&headers).expect("good");
        assert_eq!(chain.extend(&headers[7..9]), Ok(HeadersProgress::UpToDate));
        assert_eq!((chain.height(), chain.locator()[0]), (9, headers[8].block_hash()));
        assert_eq!(chain.extend(&headers[..1]), Ok(HeadersProgress::UpToDate));
        assert_eq!(chain.height(), 1);
    }

    #[test]
    fn the_locator_reaches_back_and_ends_at_the_genesis_block() {
        let headers = mine_regtest(100);
        let mut chain = chain();
        assert_eq!(chain.locator(), [headers[0].prev_blockhash]);
        chain.extend(&headers).expect("good");
        let back = |hash: &BlockHash| headers.iter().rposition(|header| header.block_hash() == *hash).map(|at| 99 - at);
        let places: Vec<_> = chain.locator().iter().filter_map(back).collect();
        assert_eq!(places, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 32, 64]);
        assert_eq!(chain.locator().last(), Some(&headers[0].prev_blockhash));
    }

    #[test]
    fn headers_that_lead_nowhere_are_no_offence() {
        let headers = mine_regtest(10);
        let mut chain = chain();
        for _ in 0..20 {
            assert_eq!(chain.extend(&headers[5..]), Ok(HeadersProgress::Unconnected));
        }
        assert_eq!(chain.height(), 0);
    }

    #[test]
    fn headers_must_follow_one_another() {
        let headers = mine_regtest(3);
        assert_eq!(chain().extend(&[headers[0], headers[2]]), Err(ProtocolViolation::BrokenChain));
    }

    #[test]
    fn a_header_must_have_the_work_it_claims() {
        let mut lazy = mine_regtest(1)[0];
        while lazy.validate_pow(lazy.target()).is_ok() {
            lazy.nonce += 1;
        }
        assert_eq!(chain().extend(&[lazy]), Err(ProtocolViolation::NoWork));
    }

    #[test]
    fn work_below_what_the_network_asks_is_none() {
        let easy = mine_regtest(1)[0];
        let genesis = genesis_block(&Params::MAINNET).block_hash();
        let mut header = Header { prev_blockhash: genesis, ..easy };
        while header.validate_pow(header.target()).is_err() {
            header.nonce += 1;
        }
        assert_eq!(HeaderChain::new(&Params::MAINNET).extend(&[header]), Err(ProtocolViolation::NoWork));
    }

    #[test]
    fn more_headers_than_allowed_are_refused() {
        let headers = mine_regtest(2001);
        assert_eq!(chain().extend(&headers), Err(ProtocolViolation::TooManyHeaders(2001)));
    }
}
