//! An application that never lets a pool rest: it asks again as soon as it is answered, before the pool's turn is over.
//!
//! It needs no runtime: its waker polls it in place. So the pool has work at the end of every turn.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

/// Such an application.
#[derive(Clone, Debug)]
pub struct Insatiable(Arc<AskingTask>);

struct AskingTask {
    asks: Mutex<Pin<Box<dyn Future<Output = ()> + Send>>>,
    left: Arc<AtomicUsize>,
}

impl Insatiable {
    /// Asks so many times, the first time at once.
    pub fn ask<F: Future<Output = ()> + Send>(times: usize, mut ask: impl FnMut() -> F + Send + 'static) -> Self {
        let left = Arc::new(AtomicUsize::new(times));
        let counted = Arc::clone(&left);
        let asks = async move {
            while counted.load(Ordering::SeqCst) > 0 {
                ask().await;
                counted.fetch_sub(1, Ordering::SeqCst);
            }
        };
        let run = Arc::new(AskingTask { asks: Mutex::new(Box::pin(asks)), left });
        Arc::clone(&run).wake();
        Self(run)
    }

    /// Whether it has asked for the last time, and was answered.
    pub fn is_done(&self) -> bool {
        self.0.left.load(Ordering::SeqCst) == 0
    }
}

impl Wake for AskingTask {
    fn wake(self: Arc<Self>) {
        let waker = Waker::from(Arc::clone(&self));
        let mut asks = self.asks.lock().unwrap_or_else(PoisonError::into_inner);
        if self.left.load(Ordering::SeqCst) > 0 {
            // Its result is in `left`.
            let _ = asks.as_mut().poll(&mut Context::from_waker(&waker));
        }
    }
}

impl fmt::Debug for AskingTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AskingTask").field("left", &self.left).finish_non_exhaustive()
    }
}
