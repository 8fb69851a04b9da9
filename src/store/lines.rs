//! Searching an arena of texts that stand one after another with a line end behind each.

use memchr::memmem::Finder;

/// Calls `hit` with the owner of every line in which the needle stands. `owners` are the owners in the
/// order of the arena; `start` says where an owner's line starts.
pub(super) fn search(
    arena: &str,
    finder: &Finder<'_>,
    owners: &[u32],
    start: impl Fn(u32) -> usize,
    mut hit: impl FnMut(u32),
) {
    let bytes = arena.as_bytes();
    let mut line = 0;
    let mut from = 0;
    while let Some(at) = bytes.get(from..).and_then(|rest| finder.find(rest)) {
        let place = from + at;
        line = line_of(owners, &start, line, place);
        if let Some(&owner) = owners.get(line) {
            hit(owner);
        }
        let rest = bytes.get(place..).unwrap_or(&[]);
        let Some(end) = memchr::memchr(b'\n', rest) else {
            return;
        };
        from = place + end + 1;
    }
}

/// The last line at or after `line` that starts at or before `place`. Hits come in order and often close
/// together, so the search starts with short steps.
fn line_of(owners: &[u32], start: &impl Fn(u32) -> usize, mut line: usize, place: usize) -> usize {
    let before = |line: usize| owners.get(line).is_some_and(|&o| start(o) <= place);
    let mut step = 1;
    while before(line + step) {
        line += step;
        step *= 2;
    }
    while step > 1 {
        step /= 2;
        if before(line + step) {
            line += step;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_with_the_needle_is_found_once() {
        let mut rng = fastrand::Rng::with_seed(3);
        for _ in 0..200 {
            let mut arena = String::new();
            let mut starts = Vec::new();
            let mut expected = Vec::new();
            for n in 0..rng.u32(1..200) {
                starts.push(arena.len());
                let line: String = (0..rng.usize(0..12))
                    .map(|_| rng.choice(['a', 'b', 'c']))
                    .map(|c| c.unwrap_or('a'))
                    .collect();
                if line.contains("ab") {
                    expected.push(n);
                }
                arena.push_str(&line);
                arena.push('\n');
            }
            let owners: Vec<u32> = (0..starts.len() as u32).collect();
            let mut found = Vec::new();
            search(
                &arena,
                &Finder::new("ab"),
                &owners,
                |o| starts[o as usize],
                |o| found.push(o),
            );
            assert_eq!(found, expected);
        }
    }
}
