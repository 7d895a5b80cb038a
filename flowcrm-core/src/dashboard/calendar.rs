//! Days, weeks and months as the organization's clock on the wall shows them.

use chrono::{Datelike, Days, LocalResult, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

use crate::time::Timestamp;

/// How many days the weekly figures show.
pub(super) const DAYS: usize = 7;

/// A span of time: from its beginning up to, but not including, its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first moment inside.
    pub from: Timestamp,
    /// The first moment after.
    pub to: Timestamp,
}

/// The present day in a time zone, and the days around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calendar {
    zone: Tz,
    today: NaiveDate,
}

impl Calendar {
    pub(super) fn at(now: Timestamp, zone: Tz) -> Self {
        Self { zone, today: now.to_utc().with_timezone(&zone).date_naive() }
    }

    /// The last seven dates, oldest first; the last is today.
    pub(super) fn last_days(self) -> [NaiveDate; DAYS] {
        std::array::from_fn(|index| self.today - Days::new((DAYS - 1 - index) as u64))
    }

    /// Where the last seven days begin, and where the last of them ends.
    pub(super) fn bounds_of_last_days(self) -> [Timestamp; DAYS + 1] {
        let first = self.today - Days::new(DAYS as u64 - 1);
        std::array::from_fn(|index| self.start_of(first + Days::new(index as u64)))
    }

    /// From Monday to Sunday.
    pub(super) fn this_week(self) -> Period {
        let monday = self.monday();
        self.period(monday, monday + Days::new(7))
    }

    pub(super) fn last_week(self) -> Period {
        let monday = self.monday();
        self.period(monday - Days::new(7), monday)
    }

    pub(super) fn this_month(self) -> Period {
        let first = self.first_of_month();
        self.period(first, first + Months::new(1))
    }

    pub(super) fn last_month(self) -> Period {
        let first = self.first_of_month();
        self.period(first - Months::new(1), first)
    }

    fn monday(self) -> NaiveDate {
        self.today - Days::new(u64::from(self.today.weekday().num_days_from_monday()))
    }

    fn first_of_month(self) -> NaiveDate {
        self.today - Days::new(u64::from(self.today.day0()))
    }

    fn period(self, from: NaiveDate, to: NaiveDate) -> Period {
        Period { from: self.start_of(from), to: self.start_of(to) }
    }

    /// The first moment of a date. Where clocks were put forward at midnight that is later than 00:00, where they
    /// were put back over midnight it is the earlier of the two.
    fn start_of(self, date: NaiveDate) -> Timestamp {
        let mut local = date.and_time(NaiveTime::MIN);
        // The longest gap yet was a whole day, when Samoa crossed the date line.
        for _ in 0..=2 * 24 * 60 {
            match self.zone.from_local_datetime(&local) {
                LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => {
                    return Timestamp::new(moment.to_utc());
                }
                LocalResult::None => local += TimeDelta::minutes(1),
            }
        }
        Timestamp::midnight(date)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(now: &str, zone: &str) -> Calendar {
        Calendar::at(now.parse().unwrap(), zone.parse().unwrap())
    }

    fn shown(period: Period) -> [String; 2] {
        [period.from, period.to].map(|moment| moment.to_string().replace(":00.000Z", ""))
    }

    #[test]
    fn weeks_begin_on_monday_where_the_organization_is() {
        // Sunday evening in New York is Monday morning in UTC.
        let new_york = calendar("2026-03-02T03:00:00Z", "America/New_York");
        assert_eq!(shown(new_york.this_week()), ["2026-02-23T05:00", "2026-03-02T05:00"]);
        let utc = calendar("2026-03-02T03:00:00Z", "UTC");
        assert_eq!(shown(utc.this_week()), ["2026-03-02T00:00", "2026-03-09T00:00"]);
        assert_eq!(shown(utc.last_week()), ["2026-02-23T00:00", "2026-03-02T00:00"]);
    }

    #[test]
    fn months_keep_their_length_when_clocks_change() {
        let berlin = calendar("2026-03-31T23:30:00+02:00", "Europe/Berlin");
        assert_eq!(shown(berlin.this_month()), ["2026-02-28T23:00", "2026-03-31T22:00"]);
        assert_eq!(shown(berlin.last_month()), ["2026-01-31T23:00", "2026-02-28T23:00"]);
        let january = calendar("2026-01-15", "UTC");
        assert_eq!(shown(january.last_month()), ["2025-12-01T00:00", "2026-01-01T00:00"]);
    }

    #[test]
    fn a_day_without_midnight_begins_when_clocks_go_on() {
        // Cairo put its clocks from 00:00 to 01:00 on 25 April 2025, and back from 24:00 to 23:00 on 30 October.
        let spring = calendar("2025-04-25T12:00:00Z", "Africa/Cairo").bounds_of_last_days();
        assert_eq!(spring[6].to_string(), "2025-04-24T22:00:00.000Z");
        assert_eq!(spring[7].since(spring[6]), TimeDelta::hours(23));
        let autumn = calendar("2025-10-30T12:00:00Z", "Africa/Cairo").bounds_of_last_days();
        assert_eq!(autumn[7].since(autumn[6]), TimeDelta::hours(25));
        // Havana has the hour after midnight twice on 2 November 2025.
        let havana = calendar("2025-11-02T12:00:00Z", "America/Havana").bounds_of_last_days();
        assert_eq!(havana[6].to_string(), "2025-11-02T04:00:00.000Z");
        assert_eq!(havana[7].since(havana[6]), TimeDelta::hours(25));
    }

    #[test]
    fn a_date_that_never_was_is_empty() {
        let samoa = calendar("2011-12-31T12:00:00+14:00", "Pacific/Apia");
        let bounds = samoa.bounds_of_last_days();
        assert_eq!(samoa.last_days()[5].to_string(), "2011-12-30");
        assert_eq!(bounds[5], bounds[6]);
        assert_eq!(bounds[7].since(bounds[6]), TimeDelta::hours(24));
    }
}
