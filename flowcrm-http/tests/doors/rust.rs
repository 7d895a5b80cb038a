//! Rust's door.

use std::collections::BTreeMap;

use flowcrm_core::input::Body;
use flowcrm_core::operations::{Arguments, Kind, Operation};
use flowcrm_core::{Caller, Crm, Error, Origin, Result};
use serde_json::Value;

use super::story::{Outcome, Saved, Step};

/// Plays a story in this process.
pub(crate) async fn play(crm: &Crm, steps: &[Step]) -> Vec<Outcome> {
    let (mut people, mut saved, mut outcomes) = (BTreeMap::new(), Saved::default(), Vec::new());
    for step in steps {
        let step = saved.resolve(step);
        let outcome = match take(crm, &mut people, &step).await {
            Ok(answer) => Outcome::Answered { answer },
            Err(error) => Outcome::Refused {
                code: error.code().slug().to_owned(),
                fields: error.fields().iter().map(|bad| bad.field.clone()).collect(),
            },
        };
        saved.keep(&step, &outcome);
        outcomes.push(outcome);
    }
    crm.close().await;
    outcomes
}

async fn take(crm: &Crm, people: &mut BTreeMap<String, Caller>, step: &Step) -> Result<Value> {
    let fields = Body::try_from(Value::Object(step.fields.clone()))?;
    let (group, name) = step.what.split_once('.').unwrap_or(("", &step.what));
    match name {
        "register" | "signIn" => {
            let origin = Origin::default();
            let signed_in = match name {
                "register" => crm.register(fields, &origin).await?,
                _ => crm.sign_in(fields, &origin).await?,
            };
            let caller = crm.authenticate(signed_in.access_token.as_str())?;
            people.insert(step.save.clone().unwrap_or_default(), caller);
            return Ok(Value::Null);
        }
        _ => {}
    }
    let caller = &people[&step.who];
    match name {
        "import" => {
            let kind = group.parse().expect("a kind");
            let mut staging = caller.imports().begin(kind, fields, "file.csv".to_owned()).await?;
            staging.push(step.file.as_deref().unwrap_or_default().as_bytes()).await?;
            let import = staging.finish().await?;
            crm.run_waiting_imports().await?;
            serde_json::to_value(caller.imports().get(import.id).await?).map_err(Error::internal)
        }
        "export" => {
            let mut export = caller.exports().begin(group.parse().expect("a kind"), fields).await?;
            let mut file = Vec::new();
            while let Some(chunk) = export.next_chunk().await? {
                file.extend(chunk);
            }
            Ok(String::from_utf8(file).expect("text").into())
        }
        _ => operate(caller, group, name, step).await,
    }
}

async fn operate(caller: &Caller, group: &str, name: &str, step: &Step) -> Result<Value> {
    let operation = Operation::named(group, name).expect("an operation");
    let mut fields = step.fields.clone();
    let mut records = Vec::new();
    loop {
        let arguments = Arguments {
            id: step.id.as_ref().and_then(Value::as_str).map(str::to_owned),
            fields: Body::try_from(Value::Object(fields.clone()))?,
            version: step.version.as_ref().and_then(Value::as_i64),
            idempotency_key: step.key.clone(),
        };
        let answer = operation.call(caller, arguments).await?;
        let value = serde_json::to_value(&answer.value).map_err(Error::internal)?;
        if operation.kind != Kind::Lists {
            return Ok(value);
        }
        records.extend(value.as_array().expect("a list").iter().cloned());
        match answer.next {
            Some(next) => fields.insert("cursor".to_owned(), next.into()),
            None => return Ok(records.into()),
        };
    }
}
