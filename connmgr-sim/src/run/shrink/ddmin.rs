//! Delta debugging of a list: whole chunks are taken out, large ones first, until nothing more can go.

/// The least found of `items` that still fails. `fails` says how many of those it is shown are needed, from the first
/// on; none if it does not fail. It must fail for all of `items`.
pub(super) fn minimize<T: Clone>(mut items: Vec<T>, fails: &mut dyn FnMut(&[T]) -> Option<usize>) -> Vec<T> {
    let mut chunk = items.len().div_ceil(2);
    while chunk > 0 {
        let before = items.len();
        pass(&mut items, chunk, fails);
        let is_fixed = items.len() == before;
        chunk = match chunk {
            1 if is_fixed => 0,
            1 => 1,
            _ => chunk.min(items.len()).div_ceil(2),
        };
    }
    items
}

/// Tries to take out each chunk of this size.
fn pass<T: Clone>(items: &mut Vec<T>, chunk: usize, fails: &mut dyn FnMut(&[T]) -> Option<usize>) {
    let mut start = 0;
    while start < items.len() {
        let end = items.len().min(start + chunk);
        let rest: Vec<T> = items[..start].iter().chain(&items[end..]).cloned().collect();
        match fails(&rest) {
            Some(needed) => {
                *items = rest;
                items.truncate(needed);
            }
            None => start = end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_needed_is_left() {
        let needed = [3, 77, 78, 500];
        let mut tried = 0;
        let mut fails = |items: &[u32]| {
            tried += 1;
            needed.iter().all(|one| items.contains(one)).then_some(items.len())
        };
        assert_eq!(minimize((0..1000).collect(), &mut fails), needed);
        assert!(tried < 200, "{tried} tries");
    }

    #[test]
    fn what_comes_after_the_failure_goes_at_once() {
        let mut fails = |items: &[u32]| items.iter().position(|item| *item == 5).map(|at| at + 1);
        assert_eq!(minimize((0..100).collect(), &mut fails), [5]);
    }

    #[test]
    fn a_list_of_which_all_is_needed_stays() {
        let mut fails = |items: &[u32]| (items.len() == 7).then_some(7);
        assert_eq!(minimize((0..7).collect(), &mut fails).len(), 7);
        assert!(minimize(Vec::<u32>::new(), &mut |_| None).is_empty());
    }
}
