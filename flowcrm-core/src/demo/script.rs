//! The script: who does what at which moment of the two months.

use chrono::Duration;

use super::{Company, words};
use crate::access::Role;
use crate::activities::NewActivity;
use crate::deals::{DealPatch, DealStage, NewDeal};
use crate::env::Env;
use crate::ids::UserId;
use crate::leads::{ConvertLead, LeadStatus, NewLead};
use crate::money::Amount;
use crate::patch::Patch;
use crate::tasks::{NewTask, TaskPriority, TaskStatus};
use crate::time::Timestamp;

const DAY: i64 = 24 * 60;

/// How many minutes ago the story begins.
pub(super) const BEGINNING: i64 = 60 * DAY;

/// Who takes the next piece of work, as places in the team: salespeople most.
const ROTA: [usize; 8] = [3, 2, 3, 1, 3, 2, 0, 3];

/// Who hands out the next task: salespeople may not.
const PLANNERS: [usize; 4] = [2, 1, 2, 0];

/// Where leads get to, if they are old enough.
const LEAD_ENDS: [LeadStatus; 10] = [
    LeadStatus::Won,
    LeadStatus::Contacted,
    LeadStatus::Qualified,
    LeadStatus::Lost,
    LeadStatus::Proposal,
    LeadStatus::Won,
    LeadStatus::New,
    LeadStatus::Qualified,
    LeadStatus::Contacted,
    LeadStatus::Proposal,
];

/// Where deals get to.
const DEAL_ENDS: [DealStage; 9] = [
    DealStage::ClosedWon,
    DealStage::Qualification,
    DealStage::Negotiation,
    DealStage::ClosedWon,
    DealStage::Discovery,
    DealStage::ClosedLost,
    DealStage::Proposal,
    DealStage::ClosedWon,
    DealStage::Discovery,
];

/// Something that a member of the team does. Leads, deals and tasks are named by their number in the script.
pub(super) struct Step {
    pub(super) at: Timestamp,
    pub(super) member: usize,
    pub(super) deed: Deed,
}

pub(super) enum Deed {
    CreateLead(usize, NewLead),
    AddActivity(usize, NewActivity),
    MoveLead(usize, LeadStatus),
    ConvertLead(usize, usize, ConvertLead),
    CreateDeal(usize, Option<usize>, NewDeal),
    MoveDeal(usize, DealPatch),
    CreateTask(usize, Subject, NewTask),
    MoveTask(usize, TaskStatus),
    ReadNotifications,
}

/// What a task is about.
pub(super) enum Subject {
    Lead(usize),
    Deal(usize),
    Nothing,
}

/// A lead or deal, as far as others refer to it.
struct Thread {
    company: String,
    worker: usize,
    /// How many minutes ago it began.
    age: i64,
    is_lost: bool,
}

/// A script being written.
pub(super) struct Script<'a> {
    company: &'a Company,
    team: &'a [UserId],
    env: &'a Env,
    now: Timestamp,
    steps: Vec<Step>,
    leads: Vec<Thread>,
    deals: Vec<Thread>,
}

impl<'a> Script<'a> {
    /// Everything that happens at a company until `now`, in the order of time.
    pub(super) fn write(company: &'a Company, team: &'a [UserId], env: &'a Env, now: Timestamp) -> Vec<Step> {
        let mut script =
            Self { company, team, env, now, steps: Vec::new(), leads: Vec::new(), deals: Vec::new() };
        for number in 0..company.leads {
            script.lead(number);
        }
        for number in 0..company.deals {
            script.deal(number);
        }
        for number in 0..company.tasks {
            script.task(number);
        }
        for member in 0..team.len() {
            script.step(3 * DAY, member, Deed::ReadNotifications);
        }
        script.steps.sort_by_key(|step| step.at);
        script.steps
    }

    /// A lead from its creation to its end, with what was said on the way, and its deal if it was converted.
    fn lead(&mut self, number: usize) {
        let age = self.age(number, self.company.leads);
        let owner = self.on(&ROTA, number);
        let assignee = self.helper_of(owner, number);
        let worker = assignee.unwrap_or(owner);
        let (first, last) = words::person(self.company.first_person + number);
        let (stem, trade) = words::company(self.company.first_person + number);
        let company = format!("{stem} {trade}");
        let address = format!("{first}.{last}@{stem}-{trade}.example");
        let new = NewLead {
            name: format!("{first} {last}"),
            email: address.to_lowercase().parse().ok(),
            phone: Some(format!("+1 555 01{:02}", number % 100)),
            company: Some(company.clone()),
            source: (number % 13 != 12)
                .then(|| words::SOURCES[(number * number + number / 3) % 7].to_owned()),
            value: self.value(number),
            assigned_to_id: assignee.map(|member| self.team[member]),
            ..NewLead::default()
        };
        self.step(age, owner, Deed::CreateLead(number, new));
        let end = match LEAD_ENDS[number % LEAD_ENDS.len()] {
            _ if age < DAY => LeadStatus::New,
            LeadStatus::Won | LeadStatus::Proposal if age < 5 * DAY => LeadStatus::Contacted,
            end => end,
        };
        self.leads.push(Thread { company: company.clone(), worker, age, is_lost: end == LeadStatus::Lost });
        let path: &[LeadStatus] = match end {
            LeadStatus::New => &[],
            LeadStatus::Contacted => &[LeadStatus::Contacted],
            LeadStatus::Qualified => &[LeadStatus::Contacted, LeadStatus::Qualified],
            LeadStatus::Proposal => &[LeadStatus::Contacted, LeadStatus::Qualified, LeadStatus::Proposal],
            LeadStatus::Won => {
                &[LeadStatus::Contacted, LeadStatus::Qualified, LeadStatus::Proposal, LeadStatus::Won]
            }
            LeadStatus::Lost => &[LeadStatus::Contacted, LeadStatus::Lost],
        };
        for (status, age) in path.iter().zip(self.ages_of_steps(age, path.len())) {
            let (kind, content) = words::activity(*status, number);
            self.step(
                age,
                worker,
                Deed::AddActivity(number, NewActivity { kind, content: content.to_owned() }),
            );
            if *status == LeadStatus::Won {
                let deal = self.deals.len();
                let title = Some(words::deal_title(&company, number));
                let expected_close = Some(self.expected_close(age));
                let convert = ConvertLead { title, expected_close, ..ConvertLead::default() };
                self.step(age, worker, Deed::ConvertLead(number, deal, convert));
                self.deals.push(Thread { company: company.clone(), worker, age, is_lost: false });
                self.pipeline(deal);
            } else {
                self.step(age, worker, Deed::MoveLead(number, *status));
            }
        }
    }

    /// A deal that was not made by converting a lead, though it may be made with one.
    fn deal(&mut self, number: usize) {
        let age = self.age(number, self.company.deals);
        let worker = self.on(&ROTA, number + 1);
        let lead = newest_before(&self.leads, worker, age);
        let company = lead.map_or_else(
            || {
                let (stem, trade) = words::company(self.company.first_person + self.company.leads + number);
                format!("{stem} {trade}")
            },
            |lead| self.leads[lead].company.clone(),
        );
        let new = NewDeal {
            title: words::deal_title(&company, number),
            value: self.value(number + 3),
            expected_close: Some(self.expected_close(age)),
            ..NewDeal::default()
        };
        let deal = self.deals.len();
        self.deals.push(Thread { company, worker, age, is_lost: false });
        self.step(age, worker, Deed::CreateDeal(deal, lead, new));
        self.pipeline(deal);
    }

    /// A deal's way through the stages.
    fn pipeline(&mut self, deal: usize) {
        let Thread { worker, age, .. } = self.deals[deal];
        let end = match DEAL_ENDS[deal % DEAL_ENDS.len()] {
            _ if age < 2 * DAY => DealStage::Qualification,
            DealStage::Negotiation | DealStage::ClosedWon | DealStage::ClosedLost if age < 6 * DAY => {
                DealStage::Proposal
            }
            end => end,
        };
        self.deals[deal].is_lost = end == DealStage::ClosedLost;
        let path: &[DealStage] = match end {
            DealStage::Qualification => &[],
            DealStage::Discovery => &[DealStage::Discovery],
            DealStage::Proposal => &[DealStage::Discovery, DealStage::Proposal],
            DealStage::Negotiation => &[DealStage::Discovery, DealStage::Proposal, DealStage::Negotiation],
            DealStage::ClosedWon => &[DealStage::Proposal, DealStage::Negotiation, DealStage::ClosedWon],
            DealStage::ClosedLost => &[DealStage::Discovery, DealStage::ClosedLost],
        };
        for (stage, age) in path.iter().zip(self.ages_of_steps(age, path.len())) {
            let reason = words::LOST_REASONS[deal % words::LOST_REASONS.len()].to_owned();
            let lost_reason = if *stage == DealStage::ClosedLost { Patch::Set(reason) } else { Patch::Keep };
            let to_stage = DealPatch { stage: Some(*stage), lost_reason, ..DealPatch::default() };
            self.step(age, worker, Deed::MoveDeal(deal, to_stage));
        }
    }

    /// A task: most that were due are done, some are not.
    fn task(&mut self, number: usize) {
        let age = self.age(number, self.company.tasks);
        let planner = self.on(&PLANNERS, number);
        let worker = self.helper_of(planner, number).unwrap_or(planner);
        let (deal, lead) = (newest_before(&self.deals, worker, age), newest_before(&self.leads, worker, age));
        let (subject, about) = match (deal, lead) {
            (Some(deal), _) if number.is_multiple_of(3) => {
                (Subject::Deal(deal), self.deals[deal].company.clone())
            }
            (_, Some(lead)) => (Subject::Lead(lead), self.leads[lead].company.clone()),
            _ => (Subject::Nothing, "the team".to_owned()),
        };
        let days = 1 + self.below(11);
        let due = Timestamp::midnight(self.moment(age - days * DAY).to_utc().date_naive())
            .plus(Duration::hours(17));
        let priority = [TaskPriority::Medium, TaskPriority::High, TaskPriority::Low][number * 2 % 3];
        let new = NewTask {
            due_date: (number % 11 != 10).then_some(due),
            priority: Some(priority),
            ..NewTask::new(words::task_title(&about, number), self.team[worker])
        };
        self.step(age, planner, Deed::CreateTask(number, subject, new));

        let is_due = due < self.now;
        let (begins, ends) = if is_due {
            (number % 7 != 3, number % 6 != 5)
        } else {
            (number.is_multiple_of(2), number.is_multiple_of(5))
        };
        let length = if is_due { days * DAY } else { age };
        let after = |percent: i64| age - length * percent / 100;
        if begins {
            self.step(after(10 + self.below(20)), worker, Deed::MoveTask(number, TaskStatus::InProgress));
        }
        if ends {
            self.step(after(60 + self.below(35)), worker, Deed::MoveTask(number, TaskStatus::Done));
        }
    }

    fn step(&mut self, age: i64, member: usize, deed: Deed) {
        self.steps.push(Step { at: self.moment(age), member, deed });
    }

    /// The moment so many minutes ago, or ahead. What was not today happened in office hours, in the same order.
    fn moment(&self, age: i64) -> Timestamp {
        let at = self.now.plus(Duration::minutes(-age));
        let midnight = |moment: Timestamp| Timestamp::midnight(moment.to_utc().date_naive());
        if midnight(at) == midnight(self.now) {
            return at;
        }
        let minute = at.since(midnight(at)).num_minutes();
        midnight(at).plus(Duration::minutes(8 * 60 + minute * 10 / 24))
    }

    /// How many minutes ago the `number`th of so many began: the first 60 days ago, the last of late.
    fn age(&self, number: usize, of: usize) -> i64 {
        let of = i64::try_from(of).unwrap_or(1).max(1);
        let number = i64::try_from(number).unwrap_or(0);
        let pace = (BEGINNING - 2 * DAY) / of;
        60 + pace * (of - 1 - number) + self.below(pace)
    }

    /// How long ago so many steps were taken with what began `age` minutes ago; in all they take up to 25 days.
    fn ages_of_steps(&self, age: i64, steps: usize) -> Vec<i64> {
        let length = (age * (35 + self.below(60)) / 100).min(25 * DAY);
        let steps = i64::try_from(steps).unwrap_or(1);
        (1..=steps).map(|step| age - length * step / steps).collect()
    }

    fn expected_close(&self, age: i64) -> Timestamp {
        let ahead = self.now.plus(Duration::minutes(-age) + Duration::days(20 + self.below(50)));
        Timestamp::midnight(ahead.to_utc().date_naive())
    }

    /// From 2,500 to 32,500; every seventh is a large one.
    fn value(&self, number: usize) -> Option<Amount> {
        let size = if number % 7 == 6 { 4 } else { 1 };
        ((5 + self.below(61)) * 500 * size).to_string().parse().ok()
    }

    fn on(&self, rota: &[usize], number: usize) -> usize {
        rota[number % rota.len()] % self.team.len()
    }

    /// The salesperson to whom every third piece of work of somebody else is given.
    fn helper_of(&self, member: usize, number: usize) -> Option<usize> {
        let sales = self.company.people.iter().position(|person| person.role == Role::Sales)?;
        (sales != member && number % 3 == 1).then_some(sales)
    }

    fn below(&self, limit: i64) -> i64 {
        let number = i64::from(u32::from_le_bytes(self.env.random_bytes()));
        number % limit.max(1)
    }
}

/// The newest lead or deal of this worker's that was not lost and is older than `age` minutes.
fn newest_before(threads: &[Thread], worker: usize, age: i64) -> Option<usize> {
    let is_fit = |thread: &Thread| thread.worker == worker && thread.age > age && !thread.is_lost;
    let candidates = threads.iter().enumerate().filter(|(_, thread)| is_fit(thread));
    candidates.min_by_key(|(_, thread)| thread.age).map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::demo::COMPANIES;
    use crate::env::FixedClock;

    fn steps(now: &str) -> Vec<Step> {
        let now = now.parse().unwrap();
        let env = Env::seeded(FixedClock::at(now), 1);
        let team: Vec<UserId> = (1..=4).map(|id| Uuid::from_u128(id).into()).collect();
        Script::write(&COMPANIES[0], &team, &env, now)
    }

    #[test]
    fn everything_happens_in_order_and_in_the_past() {
        for now in ["2026-03-18T12:00:00Z", "2026-03-18T00:00:01Z", "2026-03-18T23:59:59Z"] {
            let steps = steps(now);
            let now: Timestamp = now.parse().unwrap();
            let beginning = now.plus(Duration::minutes(-BEGINNING));
            assert!(steps.iter().all(|step| step.at > beginning && step.at <= now), "{now}");
            assert!(steps.is_sorted_by_key(|step| step.at));
        }
    }
}
