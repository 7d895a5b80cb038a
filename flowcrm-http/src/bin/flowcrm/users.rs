use std::process::ExitCode;

use clap::{Args, Subcommand};
use flowcrm_core::access::Role;
use flowcrm_core::auth::Register;
use flowcrm_core::users::NewUser;

use crate::password::ask_for_new_password;
use crate::settings::DatabaseSettings;
use crate::{Outcome, say};

/// Look after users.
#[derive(Debug, Args)]
pub(crate) struct UserCommand {
    #[command(subcommand)]
    action: UserAction,
}

#[derive(Debug, Subcommand)]
enum UserAction {
    /// Add a user to an organization, or a new organization with its first owner
    Create(Create),
    /// Set a user's password; all their sessions end
    Password(Password),
    /// Make a user a platform operator, who may list, create and delete organizations
    Operator(Operator),
}

/// The password is asked for on a terminal, and read from standard input elsewhere.
#[derive(Debug, Args)]
struct Create {
    #[command(flatten)]
    database: DatabaseSettings,

    /// The user's name
    #[arg(long)]
    name: String,

    /// What the user signs in with
    #[arg(long)]
    email: String,

    /// The user's role: OWNER, ADMIN, MANAGER or SALES
    #[arg(long, default_value = "SALES", conflicts_with = "organization")]
    role: Role,

    /// The email of the ADMIN or OWNER who adds the user to their organization
    #[arg(long = "as", value_name = "EMAIL", required_unless_present = "organization")]
    acting: Option<String>,

    /// Make a new organization of this name, with the user as its OWNER
    #[arg(long, value_name = "NAME", conflicts_with = "acting")]
    organization: Option<String>,
}

/// The password is asked for on a terminal, and read from standard input elsewhere.
#[derive(Debug, Args)]
struct Password {
    #[command(flatten)]
    database: DatabaseSettings,

    /// What the user signs in with
    email: String,
}

#[derive(Debug, Args)]
struct Operator {
    #[command(flatten)]
    database: DatabaseSettings,

    /// What the user signs in with
    email: String,

    /// Make them an ordinary user again
    #[arg(long)]
    revoke: bool,
}

impl UserCommand {
    pub(crate) async fn run(self) -> Outcome {
        match self.action {
            UserAction::Create(create) => create.run().await,
            UserAction::Password(password) => password.run().await,
            UserAction::Operator(operator) => operator.run().await,
        }
    }
}

impl Create {
    async fn run(self) -> Outcome {
        let crm = self.database.open_for_maintenance().await?;
        let password = ask_for_new_password()?;
        if let Some(organization) = &self.organization {
            let register = Register::new(&self.name, &self.email, &password, organization)?;
            crm.create_organization(register).await?;
            say(format!("{} is the OWNER of {organization}.", self.email));
        } else {
            let acting = crm.as_user_with_email(self.acting.as_deref().unwrap_or_default()).await?;
            let new = NewUser::new(&self.name, &self.email, self.role, &password)?;
            acting.users().create(new).await?;
            say(format!("{} may sign in, as {}.", self.email, self.role));
        }
        crm.close().await;
        Ok(ExitCode::SUCCESS)
    }
}

impl Password {
    async fn run(self) -> Outcome {
        let crm = self.database.open_for_maintenance().await?;
        crm.set_password(&self.email, &ask_for_new_password()?).await?;
        say(format!("{} has a new password, and all their sessions have ended.", self.email));
        crm.close().await;
        Ok(ExitCode::SUCCESS)
    }
}

impl Operator {
    async fn run(self) -> Outcome {
        let crm = self.database.open_for_maintenance().await?;
        crm.set_operator(&self.email, !self.revoke).await?;
        let what = if self.revoke { "is an ordinary user" } else { "is a platform operator" };
        say(format!("{} {what} from now on.", self.email));
        crm.close().await;
        Ok(ExitCode::SUCCESS)
    }
}
