//! One line every few seconds while the node catches up.

use crate::network::SyncStatus;

/// Time between two lines.
const BETWEEN_LINES_MS: u64 = 8_000;

/// Where it stood at the last line.
#[derive(Debug, Default)]
pub(super) struct Progress {
    last: Option<(u64, u64)>,
}

impl Progress {
    /// The line that is due now.
    pub(super) fn line(&mut self, now_ms: u64, status: SyncStatus) -> Option<String> {
        if !status.active {
            let was_active = self.last.take().is_some();
            return was_active.then(|| format!("in sync at block {}", status.current));
        }
        let Some((then_ms, then)) = self.last else {
            self.last = Some((now_ms, status.current));
            return None;
        };
        let elapsed_ms = now_ms.saturating_sub(then_ms);
        if elapsed_ms < BETWEEN_LINES_MS {
            return None;
        }
        self.last = Some((now_ms, status.current));
        let per_s = status.current.saturating_sub(then) * 1000 / elapsed_ms;
        let missing = status.highest.saturating_sub(status.current);
        let left = match missing.checked_div(per_s) {
            Some(left_s) => format!("about {} left", span(left_s)),
            None => "waiting for blocks".to_owned(),
        };
        Some(format!(
            "syncing: block {} of {}, {per_s} blocks/s, {} peer(s), {left}",
            status.current, status.highest, status.peers
        ))
    }
}

fn span(s: u64) -> String {
    match s {
        0..120 => format!("{s} s"),
        120..7_200 => format!("{} min", s / 60),
        _ => format!("{} h", s / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_speed_and_what_is_left() {
        let status = |current| SyncStatus {
            active: current < 99,
            starting: 0,
            current,
            highest: 100,
            peers: 2,
        };
        let mut progress = Progress::default();
        assert_eq!(progress.line(0, status(99)), None, "nothing was missing");
        assert_eq!(progress.line(1_000, status(10)), None);
        assert_eq!(progress.line(8_999, status(20)), None);
        let line = progress.line(9_000, status(26)).unwrap();
        assert_eq!(
            line,
            "syncing: block 26 of 100, 2 blocks/s, 2 peer(s), about 37 s left"
        );
        let line = progress.line(20_000, status(26)).unwrap();
        assert!(line.ends_with("waiting for blocks"), "{line}");
        let line = progress.line(20_100, status(100)).unwrap();
        assert_eq!(line, "in sync at block 100");
        assert_eq!(progress.line(20_200, status(100)), None);
    }
}
