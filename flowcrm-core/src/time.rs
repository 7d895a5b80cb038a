//! Moments in time, as FlowCRM keeps and shows them.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, SecondsFormat, TimeZone, Timelike, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::operations::MOMENT;

/// A moment in UTC: kept to the microsecond (Postgres' precision), shown in RFC 3339 with milliseconds and `Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

/// Why a text is no [`Timestamp`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a date (2026-01-31) or an RFC 3339 date and time (2026-01-31T12:00:00Z) from 0001 to 9999")]
pub struct NotATimestamp;

impl Timestamp {
    /// Later than every date that a client may give: what a record without a date sorts as.
    pub const FAR_FUTURE: Self = match DateTime::from_timestamp_micros(253_402_300_799_999_999) {
        Some(moment) => Self(moment),
        None => panic!("the year 9999 is within the calendar"),
    };

    /// The same moment, cut to microseconds; a leap second is the last microsecond before it.
    pub fn new(moment: DateTime<Utc>) -> Self {
        let micros = moment.nanosecond().min(999_999_999) / 1_000 * 1_000;
        Self(moment.with_nanosecond(micros).unwrap_or(moment))
    }

    /// Midnight UTC at the beginning of `date`.
    pub fn midnight(date: NaiveDate) -> Self {
        Self(date.and_time(NaiveTime::MIN).and_utc())
    }

    /// The moment `seconds` after 1970-01-01T00:00:00Z.
    ///
    /// # Panics
    ///
    /// When it lies outside of what a calendar can say, some 260,000 years from now.
    pub fn from_unix(seconds: i64) -> Self {
        Self(Utc.timestamp_opt(seconds, 0).single().expect("a moment within the calendar"))
    }

    /// Whole seconds since 1970-01-01T00:00:00Z.
    pub fn unix(self) -> i64 {
        self.0.timestamp()
    }

    /// The moment as chrono knows it.
    pub fn to_utc(self) -> DateTime<Utc> {
        self.0
    }

    /// This moment moved by `duration`, which may be negative.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0 + duration)
    }

    /// How long after `earlier` this moment is.
    pub fn since(self, earlier: Self) -> Duration {
        self.0 - earlier.0
    }

    /// RFC 3339 with all six digits of the microsecond: text that sorts as time does.
    pub fn to_sortable_text(self) -> String {
        self.0.to_rfc3339_opts(SecondsFormat::Micros, true)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_sortable_text())
    }
}

impl FromStr for Timestamp {
    type Err = NotATimestamp;

    /// Reads RFC 3339, or a plain date as midnight UTC.
    fn from_str(text: &str) -> Result<Self, NotATimestamp> {
        let moment = match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            Ok(date) if text.len() == 10 => Self::midnight(date),
            _ => {
                let moment = DateTime::parse_from_rfc3339(text).map_err(|_| NotATimestamp)?;
                // No database knows leap seconds.
                if moment.nanosecond() > 999_999_999 {
                    return Err(NotATimestamp);
                }
                Self::new(moment.to_utc())
            }
        };
        let years = Self::midnight(NaiveDate::from_ymd_opt(1, 1, 1).ok_or(NotATimestamp)?)..Self::FAR_FUTURE;
        if years.contains(&moment) { Ok(moment) } else { Err(NotATimestamp) }
    }
}

impl Serialize for Timestamp {
    /// People read milliseconds; formats that people do not read keep every digit.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_newtype_struct(MOMENT, &Shown(*self))
        } else {
            serializer.serialize_str(&self.to_sortable_text())
        }
    }
}

/// A moment as people read it.
struct Shown(Timestamp);

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
crate::openapi::scalar!(Timestamp, "string", "date-time");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_dates_and_moments() {
        let midnight: Timestamp = "2026-01-31".parse().unwrap();
        assert_eq!(midnight.to_string(), "2026-01-31T00:00:00.000Z");
        let moment: Timestamp = "2026-01-31T12:30:00.123456789+02:00".parse().unwrap();
        assert_eq!(moment.to_sortable_text(), "2026-01-31T10:30:00.123456Z");
        for bad in
            ["", "31.01.2026", "2026-02-30", "2026-1-1", "10000-01-01T00:00:00Z", "2026-01-31T12:30:00"]
        {
            assert_eq!(bad.parse::<Timestamp>(), Err(NotATimestamp), "{bad}");
        }
    }

    #[test]
    fn leap_seconds_are_not_kept() {
        assert_eq!("2016-12-31T23:59:60Z".parse::<Timestamp>(), Err(NotATimestamp));
        assert_eq!("2016-12-31T23:59:60.5+01:00".parse::<Timestamp>(), Err(NotATimestamp));
        let leap = DateTime::parse_from_rfc3339("2016-12-31T23:59:60Z").unwrap().to_utc();
        assert_eq!(Timestamp::new(leap).to_sortable_text(), "2016-12-31T23:59:59.999999Z");
    }

    #[test]
    fn the_far_future_is_later_than_any_date_a_client_may_give() {
        assert!("9999-12-31T23:59:59.999998Z".parse::<Timestamp>().unwrap() < Timestamp::FAR_FUTURE);
        assert_eq!(Timestamp::FAR_FUTURE.to_sortable_text(), "9999-12-31T23:59:59.999999Z");
    }
}
