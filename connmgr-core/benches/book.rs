//! The book by itself: what a choice, a new address and a ready connection cost, with few and with many known addresses.
//!
//! ```sh
//! cargo bench -p connmgr-core --bench book --features experiments
//! ```

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;

use connmgr_core::BookBench;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

/// New addresses, or ready connections, in one book.
const BATCH: u32 = 1000;

fn choices(criterion: &mut Criterion) {
    for known in [10, 1000, 80_000] {
        let mut book = BookBench::new(known);
        let name = |what: &str| format!("{what}, {} known", book.len());
        let (choose, rare) = (name("choose"), name("choose in a rare network"));
        criterion.bench_function(&choose, |bench| bench.iter(|| black_box(book.choose())));
        criterion.bench_function(&rare, |bench| bench.iter(|| black_box(book.choose_rare())));
    }
}

fn changes(criterion: &mut Criterion) {
    for known in [1000, 16_384, 60_000] {
        let book = BookBench::new(known);
        criterion.bench_function(&format!("a thousand new addresses, {} known", book.len()), |bench| {
            let adds = |book: &mut BookBench| (0..BATCH).for_each(|_| _ = black_box(book.add()));
            bench.iter_batched_ref(|| book.clone(), adds, BatchSize::LargeInput);
        });
        // Every fifth is tried already.
        criterion.bench_function(&format!("a thousand addresses get ready, {} known", book.len()), |bench| {
            let goods = |book: &mut BookBench| (0..BATCH).for_each(|number| book.good(black_box(number)));
            bench.iter_batched_ref(|| book.clone(), goods, BatchSize::LargeInput);
        });
    }
}

criterion_group!(benches, choices, changes);
criterion_main!(benches);
