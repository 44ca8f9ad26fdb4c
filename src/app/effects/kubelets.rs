//! Who reads kubelets for pages: one at a time, and not more often than once a second, however often the key is pressed.

use crate::state::ui::RouteId;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Shortest time between two looks: a summary is not cheap for a kubelet.
const EVERY: Duration = Duration::from_secs(1);

/// What is said on a page whose look ended for that of another.
pub(super) const LEFT: &str = "left before it was read; r reads again";

/// The look on its way, and when it began or will.
#[derive(Default)]
pub(super) struct Kubelets {
    last: Option<Instant>,
    task: Option<(RouteId, JoinHandle<()>)>,
}

impl Kubelets {
    /// When the next look may begin. One that was put off and never began takes no turn.
    pub fn turn(&mut self, now: Instant) -> Instant {
        let next = match self.last {
            None => now,
            Some(last) if last > now => last,
            Some(last) => now.max(last + EVERY),
        };
        self.last = Some(next);
        next
    }

    /// A look is on its way for a page; the one before ends. The other page that will not be read, if there is one.
    pub fn is_read_by(&mut self, page: RouteId, task: JoinHandle<()>) -> Option<RouteId> {
        let (before, task) = self.task.replace((page, task))?;
        let cut = !task.is_finished() && before != page;
        task.abort();
        cut.then_some(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubelet_is_asked_once_a_second_however_often_the_key_is_pressed() {
        let mut kubelets = Kubelets::default();
        let begin = Instant::now();
        let after = |millis: u64| begin + Duration::from_millis(millis);
        let turns = [0, 200, 400, 1100, 5000].map(|at| kubelets.turn(after(at)));
        assert_eq!(turns, [after(0), after(1000), after(1000), after(2000), after(5000)]);
    }

    #[tokio::test]
    async fn the_look_before_ends() {
        let mut kubelets = Kubelets::default();
        let (held, ended) = tokio::sync::oneshot::channel::<()>();
        let look = tokio::spawn(async move {
            std::future::pending::<()>().await;
            drop(held);
        });
        assert_eq!(kubelets.is_read_by(RouteId(1), look), None);
        assert_eq!(kubelets.is_read_by(RouteId(2), tokio::spawn(async {})), Some(RouteId(1)));
        assert!(ended.await.is_err(), "what it held is let go");
    }
}
