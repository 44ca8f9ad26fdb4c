//! How often each reason came up in each minute of the last hour.
//!
//! Kubernetes tells an event's first and last time and how often it happened in between, so what lies between is spread
//! evenly: an estimate, right in its sum.

use crate::state::intern::Sym;
use hashbrown::HashMap;

/// Minutes looked back.
pub const MINUTES: usize = 60;
/// Bars shown for them.
pub const BARS: usize = 12;
/// Reasons told apart; controllers make up some dozens. What is more is counted together.
const REASONS: usize = 256;

/// One reason's hour.
#[derive(Clone)]
struct Hour {
    notable: bool,
    /// By minute, modulo [`MINUTES`].
    minutes: [u32; MINUTES],
}

/// Every reason's hour.
#[derive(Default)]
pub struct Hours {
    /// The newest minute any event happened in, counted from 1970.
    newest: i64,
    of: HashMap<Sym, Hour>,
}

impl Hours {
    /// Counts `n` occurrences of a reason between two times (seconds since 1970), as seen at a time.
    pub fn add(&mut self, reason: Sym, notable: bool, n: u32, (from, to): (u32, u32)) {
        let (from, to) = (i64::from(from.min(to)) / 60, i64::from(to) / 60);
        self.advance(to);
        let full = self.of.len() >= REASONS;
        let reason = if full && !self.of.contains_key(&reason) { Sym::NONE } else { reason };
        let new = || Hour { notable, minutes: [0; MINUTES] };
        let hour = self.of.entry(reason).or_insert_with(new);
        hour.notable = notable;
        let span = (to - from + 1) as u64;
        let upto = |minute: i64| u64::from(n) * (minute - from) as u64 / span;
        for minute in from.max(self.newest - MINUTES as i64 + 1)..=to {
            let share = upto(minute + 1) - upto(minute);
            let slot = &mut hour.minutes[minute.rem_euclid(MINUTES as i64) as usize];
            *slot = slot.saturating_add(share as u32);
        }
    }

    /// Minutes that are over an hour old make room.
    fn advance(&mut self, minute: i64) {
        if minute <= self.newest {
            return;
        }
        let stale = (self.newest + 1).max(minute - MINUTES as i64 + 1)..=minute;
        for at in stale.map(|m| m.rem_euclid(MINUTES as i64) as usize) {
            self.of.values_mut().for_each(|hour| hour.minutes[at] = 0);
        }
        self.newest = minute;
    }

    /// A reason's last hour in five-minute bars, oldest first, the last one ending now (seconds since 1970).
    pub fn bars(&self, reason: Sym, now: i64) -> [u32; BARS] {
        let mut bars = [0; BARS];
        let Some(hour) = self.of.get(&reason).or_else(|| self.of.get(&Sym::NONE)) else {
            return bars;
        };
        for (minute, n) in self.minutes(hour, now) {
            let slot: &mut u32 = &mut bars[minute * BARS / MINUTES];
            *slot = slot.saturating_add(n);
        }
        bars
    }

    /// The reasons of notable events that came up most often in the hour before the newest event, and how often.
    pub fn top(&self, most: usize) -> Vec<(Sym, u32)> {
        let now = self.newest * 60;
        let sum =
            |hour: &Hour| self.minutes(hour, now).fold(0, |s: u32, (_, n)| s.saturating_add(n));
        let notable = self.of.iter().filter(|(reason, h)| h.notable && !reason.is_none());
        let mut all: Vec<(Sym, u32)> = notable.map(|(reason, hour)| (*reason, sum(hour))).collect();
        all.retain(|(_, n)| *n > 0);
        all.sort_unstable_by_key(|(reason, n)| (std::cmp::Reverse(*n), *reason));
        all.truncate(most);
        all
    }

    /// Minutes of the hour that ends now, by their place in it, with what happened in them.
    fn minutes<'a>(&'a self, hour: &'a Hour, now: i64) -> impl Iterator<Item = (usize, u32)> + 'a {
        let end = now / 60;
        let kept = self.newest - MINUTES as i64 + 1..=self.newest;
        (0..MINUTES).filter_map(move |place| {
            let minute = end - (MINUTES - 1 - place) as i64;
            let n = hour.minutes[minute.rem_euclid(MINUTES as i64) as usize];
            kept.contains(&minute).then_some((place, n))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_795_435_200;

    #[test]
    fn occurrences_are_spread_between_the_first_and_the_last_and_none_is_lost() {
        let mut hours = Hours::default();
        let (from, to) = ((NOON - 1800) as u32, (NOON - 60) as u32);
        hours.add(Sym(3), true, 37, (from, to));
        let bars = hours.bars(Sym(3), NOON);
        assert_eq!(bars.iter().sum::<u32>(), 37, "{bars:?}");
        assert_eq!(bars[..5], [0; 5], "nothing before the first");
        assert!(bars[6..].iter().all(|n| (5..=7).contains(n)), "evenly: {bars:?}");
        hours.add(Sym(3), true, 1, ((NOON - 3000) as u32, NOON as u32));
        assert_eq!(hours.bars(Sym(3), NOON)[11] - bars[11], 1, "one more happened at the end");
    }

    #[test]
    fn the_hour_moves_on_with_events_and_with_the_clock() {
        let mut hours = Hours::default();
        hours.add(Sym(3), true, 5, (NOON as u32, NOON as u32));
        assert_eq!(hours.bars(Sym(3), NOON + 1800).iter().sum::<u32>(), 5);
        assert_eq!(hours.bars(Sym(3), NOON + 3600).iter().sum::<u32>(), 0, "the clock alone");
        let later = (NOON + 3600) as u32;
        hours.add(Sym(4), false, 1, (later, later));
        assert_eq!(hours.bars(Sym(3), NOON + 3600).iter().sum::<u32>(), 0);
        assert!(hours.top(5).is_empty(), "normal reasons are no news");
        let old = (NOON - 7200) as u32;
        hours.add(Sym(5), true, 9, (old, old));
        assert_eq!(hours.bars(Sym(5), NOON).iter().sum::<u32>(), 0, "older than the hour");
        // An hour's worth of what began a day ago.
        hours.add(Sym(6), true, 1440, ((NOON + 3600 - 86_340) as u32, later));
        assert_eq!(hours.bars(Sym(6), NOON + 3600).iter().sum::<u32>(), 60);
        assert_eq!(hours.top(1), [(Sym(6), 60)]);
    }

    #[test]
    fn made_up_reasons_are_counted_together() {
        let mut hours = Hours::default();
        for n in 1..10_000 {
            hours.add(Sym(n), true, 1, (NOON as u32, NOON as u32));
        }
        assert!(hours.of.len() <= REASONS + 1);
        assert!(hours.bars(Sym(9999), NOON).iter().sum::<u32>() > 9000);
    }
}
