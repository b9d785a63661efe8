//! What the deployments in this repository set is what the binary takes: it is started with exactly
//! their environment and arguments, on servers of this machine in the place of theirs.

use std::path::PathBuf;
use std::time::Duration;

use outrigger_testkit::{
    Postgres, PostgresOptions, Redis, RedisOptions, SmtpServer, SmtpServerOptions, SmtpTls,
    TempDir, eventually,
};

use crate::support::{Backend, Server, ServerOptions, run};

/// What a deployment starts, and what the process finds in its environment.
#[derive(Debug)]
struct Deployment {
    /// Names and values that stand in its files.
    settings: Vec<(String, String)>,
    /// Names whose values it takes from a manager of secrets.
    secrets: Vec<String>,
    /// The arguments of each kind of process that serves.
    commands: Vec<Vec<String>>,
}

fn read(path: &str) -> String {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The lines `NAME=value` of files, the later ones over the earlier.
fn settings(files: &[&str]) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for text in files.iter().map(|file| read(file)) {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        for (name, value) in lines.filter_map(|line| line.split_once('=')) {
            all.retain(|(known, _)| known != name);
            all.push((name.to_owned(), value.to_owned()));
        }
    }
    assert!(!all.is_empty());
    all
}

/// What stands behind a key, at any depth.
fn values<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let lines = text.lines().map(|line| line.trim_start().trim_start_matches("- "));
    lines.filter_map(|line| Some(line.strip_prefix(key)?.strip_prefix(':')?.trim())).collect()
}

/// The arguments of each command like `[serve, --roles, api]` behind the key, without `serve`.
fn commands(text: &str, key: &str) -> Vec<Vec<String>> {
    let lists = values(text, key).into_iter().filter_map(|value| value.strip_prefix("[serve, "));
    let words = lists.map(|list| list.trim_end_matches(']').split(", ").collect::<Vec<_>>());
    words
        .map(|words| words.iter().map(|word| word.trim_matches('"').to_owned()).collect())
        .collect()
}

const KUBERNETES: &str = "deploy/kubernetes/base/common/settings.env";

#[test]
fn kubernetes_on_aws() {
    let mut served = Vec::new();
    for file in ["base/api/deployment.yaml", "base/worker/deployment.yaml"] {
        served.extend(commands(&read(&format!("deploy/kubernetes/{file}")), "args"));
    }
    for service in ["users", "authentication", "notifications/api", "analytics", "records", "tasks"]
    {
        let file = format!("deploy/kubernetes/overlays/split/{service}/kustomization.yaml");
        served.extend(commands(&read(&file), "value"));
    }
    assert_eq!(served.len(), 8, "{served:?}");
    let components = ["secrets-manager/secrets.yaml", "read-replica/secret.yaml"];
    let secrets = components.map(|file| read(&format!("deploy/kubernetes/components/{file}")));
    let secrets = secrets.concat();
    let deployment = Deployment {
        settings: settings(&[KUBERNETES, "deploy/kubernetes/overlays/aws/account/settings.env"]),
        secrets: values(&secrets, "secretKey").into_iter().map(str::to_owned).collect(),
        commands: served,
    };
    in_production(deployment);
}

#[test]
fn kubernetes_on_one_machine() {
    let overlay = "deploy/kubernetes/overlays/local";
    let secrets = settings(&[&format!("{overlay}/secrets.env")]);
    let mut set = settings(&[KUBERNETES, &format!("{overlay}/settings.env")]);
    // The database's own, which the process does not look at.
    set.extend(secrets.into_iter().filter(|(name, _)| name != "POSTGRES_PASSWORD"));
    let text = ["api", "worker"]
        .map(|role| read(&format!("deploy/kubernetes/base/{role}/deployment.yaml")))
        .concat();
    on_one_machine(&Deployment {
        settings: set,
        secrets: Vec::new(),
        commands: commands(&text, "args"),
    });
}

#[test]
fn compose_with_everything() {
    let text = read("compose.full.yaml");
    let block = text.split("environment: &environment\n").nth(1).expect("an environment");
    let lines = block.lines().take_while(|line| line.starts_with("    "));
    let pairs = lines.filter_map(|line| line.trim().split_once(": "));
    on_one_machine(&Deployment {
        settings: pairs
            .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
            .collect(),
        secrets: Vec::new(),
        commands: commands(&text, "command"),
    });
}

const STACK: &str = "deploy/terraform/stacks/aws-ecs";
const MODULES: &str = "deploy/terraform/modules/aws";

#[test]
fn ecs_in_prod() {
    let computed = [
        ("OUTRIGGER_ENV", "production"),
        ("OUTRIGGER_PUBLIC_URL", "https://api.example.com"),
        ("OUTRIGGER__HTTP__HSTS", "true"),
        ("OUTRIGGER__DEPLOYMENT__REPLICAS", "10"),
        ("OUTRIGGER__DATABASE__WRITE_CONNECTIONS", "8"),
        ("OUTRIGGER__HTTP__THREADS", "2"),
        ("OUTRIGGER__METRICS__DEPLOYMENT", "outrigger-prod"),
        ("BLOB_URL", "s3://outrigger-prod-123456789012-blobs?region=us-east-1"),
    ];
    let deployment = ecs("prod", &computed);
    let secrets =
        ["DATABASE_READONLY_URL", "DATABASE_URL", "MAIL_URL", "OUTRIGGER_SECRET", "REDIS_URL"];
    assert_eq!(deployment.secrets, secrets);
    in_production(deployment);
}

#[test]
fn ecs_in_dev() {
    let computed = [
        ("OUTRIGGER_ENV", "development"),
        ("OUTRIGGER_PUBLIC_URL", "http://outrigger-dev.elb.amazonaws.com"),
        ("OUTRIGGER__HTTP__HSTS", "false"),
        ("OUTRIGGER__DEPLOYMENT__REPLICAS", "2"),
        ("OUTRIGGER__DATABASE__WRITE_CONNECTIONS", "4"),
        ("OUTRIGGER__HTTP__THREADS", "1"),
        ("OUTRIGGER__METRICS__DEPLOYMENT", "outrigger-dev"),
        ("BLOB_URL", "s3://outrigger-dev-123456789012-blobs?region=us-east-1"),
    ];
    let deployment = ecs("dev", &computed);
    assert_eq!(deployment.secrets, ["DATABASE_URL", "OUTRIGGER_SECRET", "REDIS_URL"]);
    with_tls(deployment);
}

/// What the stack gives an environment, with what Terraform makes of expressions there.
fn ecs(environment: &str, computed: &[(&str, &str)]) -> Deployment {
    let main = read(&format!("{STACK}/main.tf"));
    let block = main.split("settings = merge({\n").nth(1).expect("the stack has settings");
    let lines = block.lines().take_while(|line| !line.trim().starts_with("},"));
    let mut settings: Vec<(String, String)> = lines
        .filter_map(|line| line.trim().split_once(" = "))
        .map(|(name, value)| (name.trim().to_owned(), made_of(name.trim(), value, computed)))
        .collect();
    assert!(settings.len() > 5, "{settings:?}");
    let values = read(&format!("{STACK}/environments/{environment}.tfvars"));
    let own = values.split("settings = { ").nth(1).and_then(|rest| rest.split(" }").next());
    let own = own.and_then(|own| own.split_once(" = "));
    settings.extend(own.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())));
    // Modules that make secrets say for which setting.
    let mut sources = vec!["postgres/outputs.tf", "redis/outputs.tf", "secrets/variables.tf"];
    sources.extend(values.contains("replica = true").then_some("postgres-replica/outputs.tf"));
    let mut all = values;
    all.extend(sources.iter().map(|file| read(&format!("{MODULES}/{file}"))));
    let words = all.split(|c: char| !(c.is_ascii_uppercase() || c == '_'));
    let mut secrets: Vec<String> = words
        .filter(|word| word.ends_with("_URL") || word.ends_with("_SECRET"))
        .map(str::to_owned)
        .collect();
    secrets.sort_unstable();
    secrets.dedup();
    let tasks = read(&format!("{MODULES}/service-ecs/tasks/main.tf"));
    let served = tasks.lines().filter_map(|line| line.split("[\"serve\", ").nth(1));
    let served = served.map(|list| list.trim_end_matches(']').split(", "));
    let commands =
        served.map(|words| words.map(|word| word.trim_matches('"').to_owned()).collect());
    Deployment { settings, secrets, commands: commands.collect() }
}

/// What Terraform makes of an expression.
fn made_of(name: &str, expression: &str, computed: &[(&str, &str)]) -> String {
    let literal = expression.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let literal = literal.filter(|literal| !literal.contains(['"', '$']));
    let known = computed.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let value = literal.or(known);
    value.unwrap_or_else(|| panic!("{name}: this test does not know {expression}")).to_owned()
}

/// In production, which refuses what is not secure.
fn in_production(deployment: Deployment) {
    let production = ("OUTRIGGER_ENV".to_owned(), "production".to_owned());
    assert!(deployment.settings.contains(&production), "{deployment:?}");
    with_tls(deployment);
}

/// With TLS to everything.
fn with_tls(deployment: Deployment) {
    let durable = PostgresOptions { durable: true, tls: true, ..PostgresOptions::default() };
    let postgres = Postgres::start_with(durable).unwrap();
    let kept = RedisOptions { appendonly: true, tls: true, ..RedisOptions::default() };
    let redis = Redis::start_with(kept).unwrap();
    let tls = SmtpServerOptions { tls: SmtpTls::Smtps, user: None };
    let smtp = SmtpServer::start(tls).unwrap();
    let root = postgres.ca_path().unwrap();
    let mut settings = deployment.settings;
    keep_files_here(&mut settings);
    for name in deployment.secrets {
        let value = match name.as_str() {
            "DATABASE_URL" | "DATABASE_READONLY_URL" => {
                format!("{}?sslmode=verify-full&sslrootcert={}", postgres.url(), root.display())
            }
            "REDIS_URL" => redis.url(),
            "OUTRIGGER_SECRET" => "q7Zs0yq4mXv1f8K2bN5tR9wE3uJ6hL0p".to_owned(),
            "MAIL_URL" => format!("smtps://127.0.0.1:{}", smtp.port()),
            other => panic!("a secret that this test does not know: {other}"),
        };
        settings.push((name, value));
    }
    // Amazon's authorities are those of the image.
    let authorities =
        [("REDIS", redis.ca_path().unwrap()), ("MAIL", smtp.ca_path())].map(|(section, path)| {
            (format!("OUTRIGGER__{section}__CA_FILE"), path.display().to_string())
        });
    settings.extend(authorities);
    stands(settings, &deployment.commands);
}

/// In an emulator in the place of S3, where the binary has it.
fn keep_files_here(settings: &mut Vec<(String, String)>) {
    let at = settings.iter().position(|(name, _)| name == "BLOB_URL").expect("it has a bucket");
    let (_, url) = settings.remove(at);
    assert!(url.starts_with("s3://outrigger-") && url.contains("?region="), "{url}");
    #[cfg(feature = "s3")]
    {
        let aws = outrigger_testkit::Aws::shared().unwrap();
        let url =
            format!("s3://{}?region=us-east-1&endpoint={}", aws.fresh_bucket().unwrap(), aws.url());
        settings.push(("BLOB_URL".to_owned(), url));
    }
}

/// With servers beside it: the database and Redis in plain text.
fn on_one_machine(deployment: &Deployment) {
    let durable = PostgresOptions { durable: true, ..PostgresOptions::default() };
    let postgres = Postgres::start_with(durable).unwrap();
    let kept = RedisOptions { appendonly: true, ..RedisOptions::default() };
    let redis = Redis::start_with(kept).unwrap();
    let tls = SmtpServerOptions { tls: SmtpTls::StartTls, user: None };
    let smtp = SmtpServer::start(tls).unwrap();
    let replaced = deployment.settings.iter().map(|(name, value)| {
        let value = match name.as_str() {
            "DATABASE_URL" => {
                let (_, parameters) = value.split_once('?').expect("it says whether to use TLS");
                format!("{}?{parameters}", postgres.url())
            }
            "REDIS_URL" => redis.url(),
            "MAIL_URL" => format!("smtp://127.0.0.1:{}?tls=required", smtp.port()),
            "OUTRIGGER__MAIL__CA_FILE" => smtp.ca_path().display().to_string(),
            _ => value.clone(),
        };
        (name.clone(), value)
    });
    stands(replaced.collect(), &deployment.commands);
}

/// Migrates, asks doctor, and starts each process.
fn stands(settings: Vec<(String, String)>, commands: &[Vec<String>]) {
    let value = |name: &str| {
        let found = settings.iter().find(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("{name} is not set")).1.clone()
    };
    let backend =
        Backend::Urls { database: value("DATABASE_URL"), redis: Some(value("REDIS_URL")) };
    let options = ServerOptions { environment: settings, ..ServerOptions::on(backend) }
        .set("OUTRIGGER__HTTP__ADDRESS", "127.0.0.1");
    let folder = TempDir::new("deployment").unwrap();
    let (done, text) = run(&options, folder.path(), &["migrate", "apply"], "");
    assert!(done, "{text}");
    // On a busy machine an answer may be late, for which Redis has half a second.
    let is_content = || {
        let (done, text) = run(&options, folder.path(), &["doctor"], "");
        anyhow::ensure!(done && text.contains("0 errors"), "{text}");
        Ok(())
    };
    eventually("doctor is content", Duration::from_secs(60), is_content).unwrap();
    for role in ["api", "worker", "scheduler"] {
        let is_there = |command: &Vec<String>| command[1].split(',').any(|one| one == role);
        assert!(commands.iter().any(is_there), "nobody has the role {role}: {commands:?}");
    }
    for command in commands {
        let arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        // It waits until the process is ready.
        Server::start_with(&options, &arguments);
    }
}
