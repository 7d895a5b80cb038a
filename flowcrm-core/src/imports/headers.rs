//! What the exports of other systems call our fields.

use super::{ImportField, ImportKind};

impl ImportField {
    /// What a header may call the field besides its own name, folded, the best first.
    ///
    /// They are those of `HubSpot`, Salesforce (names of its API and labels), Pipedrive, Zoho, Odoo, Google Contacts and
    /// Outlook, and what people write by themselves.
    pub(super) const fn synonyms(self, kind: ImportKind) -> &'static [&'static str] {
        match kind {
            ImportKind::Leads => self.synonyms_in_leads(),
            ImportKind::Deals => self.synonyms_in_deals(),
        }
    }

    const fn synonyms_in_leads(self) -> &'static [&'static str] {
        match self {
            Self::Name => &[
                "fullname",
                "leadname",
                "contactname",
                "displayname",
                "personname",
                "customername",
                "leadtitle",
                "contact",
                "contactperson",
                "leadcontactperson",
            ],
            Self::Email => &[
                "emailaddress",
                "mail",
                "workemail",
                "emailwork",
                "contactemail",
                "personemailwork",
                "personemail",
                "emailfrom",
                "email1value",
                "email1address",
                "emailhome",
                "personemailhome",
                "emailother",
                "personemailother",
                "secondaryemail",
                "email2address",
                "email2value",
                "additionalemailaddresses",
            ],
            Self::Phone => &[
                "phonenumber",
                "telephone",
                "tel",
                "workphone",
                "phonework",
                "businessphone",
                "personphonework",
                "personphone",
                "phone1value",
                "mobile",
                "mobilephone",
                "mobilephonenumber",
                "phonemobile",
                "personphonemobile",
                "homephone",
                "phonehome",
                "personphonehome",
                "primaryphone",
                "otherphone",
                "phoneother",
                "phone2value",
            ],
            Self::Company => &[
                "companyname",
                "companyaccount",
                "organization",
                "organisation",
                "organizationname",
                "account",
                "accountname",
                "employer",
                "partnername",
                "relatedcompany",
                "associatedcompany",
                "personorganization",
                "leadorganization",
                "organization1name",
            ],
            Self::Source => &[
                "leadsource",
                "origin",
                "channel",
                "originalsource",
                "originaltrafficsource",
                "sourceid",
                "leadsourcename",
                "personsource",
                "leadorigin",
            ],
            Self::Status => &["leadstatus", "hsleadstatus", "stage", "stageid", "leadlabel"],
            Self::Value => &["leadvalue", "amount", "worth", "expectedrevenue", "estimatedvalue"],
            Self::CreatedAt => &[
                "created",
                "createddate",
                "createdon",
                "createdate",
                "datecreated",
                "createdtime",
                "creationdate",
                "leadleadcreated",
                "leadcreated",
                "personpersoncreated",
                "personcreated",
            ],
            Self::ExternalId => &[
                "id",
                "recordid",
                "leadid",
                "contactid",
                "externalleadid",
                "leadnumber",
                "personid",
                "hsobjectid",
            ],
            Self::Owner => &[
                "owneremail",
                "ownername",
                "leadowner",
                "contactowner",
                "salesperson",
                "userid",
                "personowner",
            ],
            _ => self.synonyms_in_both(),
        }
    }

    const fn synonyms_in_deals(self) -> &'static [&'static str] {
        match self {
            Self::Title => {
                &["dealtitle", "dealname", "opportunityname", "name", "deal", "opportunity", "potentialname"]
            }
            Self::Value => &[
                "dealvalue",
                "amount",
                "dealamount",
                "closevalue",
                "worth",
                "expectedrevenue",
                "revenue",
                "amountincompanycurrency",
            ],
            Self::Stage => {
                // That a deal is won or lost tells more than the stage that it had come to.
                &[
                    "dealstatus",
                    "status",
                    "stage",
                    "dealstage",
                    "salesstage",
                    "stagename",
                    "stageid",
                    "pipelinestage",
                ]
            }
            Self::Probability => &["winprobability", "likelihood"],
            Self::ExpectedClose => &[
                "expectedclosedate",
                "expectedclosing",
                "expectedclosingdate",
                "dealexpectedclosedate",
                "datedeadline",
                "closingdate",
                "closedate",
            ],
            Self::ClosedAt => &[
                "closeddate",
                "closedon",
                "dateclosed",
                "dealdealclosedon",
                "dealwontime",
                "deallosttime",
                "wontime",
                "losttime",
                "closedate",
                "closingdate",
            ],
            Self::LeadExternalId => &["externalleadid"],
            Self::LostReason => &[
                "lossreason",
                "reasonlost",
                "closedlostreason",
                "dealslostreason",
                "deallostreason",
                "reasonforloss",
                "lostreasonid",
            ],
            Self::CreatedAt => &[
                "created",
                "createddate",
                "createdon",
                "createdate",
                "datecreated",
                "createdtime",
                "creationdate",
                "dealdealcreated",
                "dealcreated",
            ],
            Self::ExternalId => {
                &["id", "recordid", "dealid", "opportunityid", "externaldealid", "hsobjectid", "potentialid"]
            }
            Self::Owner => &[
                "owneremail",
                "ownername",
                "dealowner",
                "opportunityowner",
                "salesperson",
                "userid",
                "potentialowner",
            ],
            _ => self.synonyms_in_both(),
        }
    }

    const fn synonyms_in_both(self) -> &'static [&'static str] {
        match self {
            Self::Notes => &[
                "note",
                "comments",
                "comment",
                "description",
                "remarks",
                "dealdescription",
                "message",
                "internalnotes",
            ],
            Self::AssignedTo => &["assignee", "assignedtoemail", "assigneeemail"],
            _ => &[],
        }
    }
}

/// What a header may call the parts of a person's name, in their order.
pub(super) const NAME_PARTS: [&[&str]; 3] = [
    &["firstname", "givenname", "personfirstname", "forename"],
    &["middlename", "additionalname"],
    &["lastname", "familyname", "personlastname", "surname"],
];

/// What a header may call the currency of a record's value, besides naming the column of the value.
const CURRENCIES: [&str; 15] = [
    "dealcurrencyofvalue",
    "leadcurrencyofvalue",
    "currencyofvalue",
    "valuecurrency",
    "amountcurrency",
    "currencyisocode",
    "opportunitycurrency",
    "leadcurrency",
    "dealcurrency",
    "dealcurrencycode",
    "currency",
    "currencycode",
    "currencyid",
    "companycurrency",
    "companycurrencyid",
];

/// What headers call the currency of the amounts below a folded header, the best first; nothing where it is said to be
/// the currency of the company that the file comes from.
pub(super) fn currencies_of(amount: &str) -> Vec<String> {
    if amount.contains("companycurrency") {
        return Vec::new();
    }
    let own = ["currency", "currencycode"].map(|word| format!("{amount}{word}"));
    own.into_iter().chain(CURRENCIES.map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::csv::{CsvParser, Record};
    use super::super::mapping::{Mapped, Mapper};
    use super::super::{ImportKind, ImportOptions};

    fn records(file: &str) -> Vec<Record> {
        let (mut parser, mut records) = (CsvParser::new(b','), Vec::new());
        parser.push(file.as_bytes(), &mut records).unwrap();
        parser.finish(&mut records).unwrap();
        records
    }

    /// What each field of a file's only row says, by the header alone.
    fn said(kind: ImportKind, file: &str) -> Vec<String> {
        let records = records(file);
        let mapper = Mapper::new(&records, &ImportOptions::default(), kind).unwrap();
        let Mapped::Row(row) = mapper.take(&records[1]) else { panic!("no row in {file}") };
        let fields = mapper.plan.fields();
        fields.filter_map(|field| Some(format!("{field}={}", mapper.plan.cell(field, &row)?.text))).collect()
    }

    #[test]
    fn exports_of_other_systems_map_by_themselves() {
        let leads = [
            (
                "Record ID,First Name,Last Name,Email,Phone Number,Company Name,Lead Status,Contact owner,Create Date\n\
                 7,Ada,Byron,a@x.org,1,Engines,Open Deal,Max,2024-01-31",
                "name=Ada Byron email=a@x.org phone=1 company=Engines status=QUALIFIED externalId=7 owner=Max \
                 createdAt=2024-01-31",
            ),
            (
                "Id,FirstName,LastName,Company,Email,MobilePhone,LeadSource,Status,OwnerId,CreatedDate,State\n\
                 00Q1,Ada,Byron,Engines,a@x.org,1,Web,Open - Not Contacted,0051,2024-01-31,Ohio",
                "name=Ada Byron email=a@x.org phone=1 company=Engines source=Web status=NEW externalId=00Q1 \
                 createdAt=2024-01-31",
            ),
            (
                "Lead ID,First Name,Last Name,Company / Account,Lead Status,Lead Owner,Create Date\n\
                 00Q1,Ada,Byron,Engines,Closed - Converted,Max,1/31/2024",
                "name=Ada Byron company=Engines status=WON externalId=00Q1 owner=Max createdAt=1/31/2024",
            ),
            (
                "Person - ID,Person - Name,Person - Email - Work,Person - Phone - Mobile,Person - Organization\n\
                 3,Ada,a@x.org,1,Engines",
                "name=Ada email=a@x.org phone=1 company=Engines externalId=3",
            ),
            (
                "Record Id,First Name,Last Name,Company,Lead Owner,Lead Status,Created Time\n\
                 zcrm_1,Ada,Byron,Engines,Max,Junk Lead,2024-01-31 10:00:00",
                "name=Ada Byron company=Engines status=LOST externalId=zcrm_1 owner=Max createdAt=2024-01-31 10:00:00",
            ),
            (
                "External ID,Contact Name,Company Name,Email,Salesperson,Expected Revenue,Stage,State\n\
                 __export__1,Ada,Engines,a@x.org,Max,500.0,Proposition,Ohio",
                "name=Ada email=a@x.org company=Engines status=PROPOSAL value=500.0 externalId=__export__1 owner=Max",
            ),
            (
                "First Name,Middle Name,Last Name,Organization Name,E-mail 1 - Value,Phone 1 - Value\n\
                 Ada,King,Byron,Engines,a@x.org ::: b@x.org,1",
                "name=Ada King Byron email=a@x.org phone=1 company=Engines",
            ),
            (
                "First Name,Last Name,Company,E-mail Address,E-mail 2 Address,Business Phone,Mobile Phone,Notes\n\
                 Ada,Byron,Engines,,b@x.org,,2,hi",
                "name=Ada Byron email=b@x.org phone=2 company=Engines notes=hi",
            ),
        ];
        for (file, expected) in leads {
            assert_eq!(said(ImportKind::Leads, file).join(" "), expected);
        }
        let deals = [
            (
                "Record ID,Deal Name,Deal Stage,Close Date,Deal owner,Amount,Associated Contact IDs,Deal probability\n\
                 9,Loom,Contract Sent,2024-01-31,Max,500,7,0.9",
                "title=Loom value=500 stage=NEGOTIATION expectedClose=2024-01-31 closedAt=2024-01-31 externalId=9 owner=Max",
            ),
            (
                "Id,Name,StageName,Amount,CloseDate,Probability,OwnerId\n006,Loom,Needs Analysis,500,2024-01-31,20,0051",
                "title=Loom value=500 stage=DISCOVERY probability=20 expectedClose=2024-01-31 closedAt=2024-01-31 \
                 externalId=006",
            ),
            (
                "Opportunity Name,Stage,Probability (%),Close Date,Opportunity Owner,Opportunity ID\n\
                 Loom,Proposal/Price Quote,75,1/31/2024,Max,006",
                "title=Loom stage=PROPOSAL probability=75 expectedClose=1/31/2024 closedAt=1/31/2024 externalId=006 \
                 owner=Max",
            ),
            (
                "Deal - ID,Deal - Title,Deal - Value,Deal - Stage,Deal - Status,Deal - Won time,Deal - Lost time,\
                 Deal - Lost reason\n4,Loom,500,Demo Scheduled,Lost,,2024-01-31,Price",
                "title=Loom value=500 stage=CLOSED_LOST closedAt=2024-01-31 lostReason=Price externalId=4",
            ),
            (
                "Deal - ID,Deal - Title,Deal - Stage,Deal - Status\n4,Loom,Demo Scheduled,Open",
                "title=Loom stage=DISCOVERY externalId=4",
            ),
            (
                "Record Id,Deal Name,Amount,Stage,Closing Date,Deal Owner,Reason For Loss\n\
                 zcrm_2,Loom,500,Closed Lost to Competition,2024-01-31,Max,Price",
                "title=Loom value=500 stage=CLOSED_LOST expectedClose=2024-01-31 closedAt=2024-01-31 lostReason=Price \
                 externalId=zcrm_2 owner=Max",
            ),
            (
                "id,name,expected_revenue,stage_id,date_deadline,user_id,lost_reason_id\n\
                 crm_1,Loom,500.0,Won,2024-01-31,Max,",
                "title=Loom value=500.0 stage=CLOSED_WON expectedClose=2024-01-31 externalId=crm_1 owner=Max",
            ),
        ];
        for (file, expected) in deals {
            assert_eq!(said(ImportKind::Deals, file).join(" "), expected);
        }
    }
}
