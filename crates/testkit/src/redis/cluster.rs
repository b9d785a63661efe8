//! A Redis cluster of three masters.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};

use super::{Redis, RedisOptions};
use crate::net::free_cluster_port;
use crate::wait;

/// The slots of each node.
const SLOTS: [(&str, &str); 3] = [("0", "5460"), ("5461", "10922"), ("10923", "16383")];
const MEET_TIMEOUT: Duration = Duration::from_secs(180);
/// A node that says nothing for so long has failed. Long: on a busy machine one that is well may stand still
/// for seconds, and then the cluster would answer nobody.
const NODE_TIMEOUT_MS: &str = "30000";

/// Three masters on 127.0.0.1 that share the slots, gone with their value.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<Redis>,
}

impl RedisCluster {
    /// Starts one; each node with these options (TLS is not supported).
    ///
    /// # Errors
    /// When a node does not start or they do not find together.
    pub fn start(options: &RedisOptions) -> Result<Self> {
        if options.tls {
            bail!("the test kit starts Redis clusters without TLS only");
        }
        let mut options = options.clone();
        let cluster = ["--cluster-enabled", "yes", "--cluster-node-timeout", NODE_TIMEOUT_MS];
        // In front: what the options say of the same counts.
        options.args.splice(0..0, cluster.map(str::to_owned));
        let nodes: Result<Vec<Redis>> =
            SLOTS.iter().map(|_| Redis::start_on(free_cluster_port()?, options.clone())).collect();
        let cluster = Self { nodes: nodes? };
        for (epoch, (node, (first, last))) in cluster.nodes.iter().zip(SLOTS).enumerate() {
            node.cli(&["CLUSTER", "SET-CONFIG-EPOCH", &(epoch + 1).to_string()])?;
            node.cli(&["CLUSTER", "ADDSLOTSRANGE", first, last])?;
        }
        for node in &cluster.nodes[1..] {
            cluster.nodes[0].cli(&["CLUSTER", "MEET", "127.0.0.1", &node.port().to_string()])?;
        }
        cluster.wait_until_ok()?;
        Ok(cluster)
    }

    /// `redis+cluster://` with all nodes.
    pub fn url(&self) -> String {
        let hosts: Vec<String> =
            self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        format!("redis+cluster://{}", hosts.join(","))
    }

    /// The nodes, in the order of their slots.
    pub fn nodes(&self) -> &[Redis] {
        &self.nodes
    }

    /// The certificate authority: none, it speaks plain text.
    pub fn ca_path(&self) -> Option<PathBuf> {
        None
    }

    /// Waits until every node says that the cluster is whole.
    ///
    /// # Errors
    /// Says which node does not after three minutes.
    pub fn wait_until_ok(&self) -> Result<()> {
        for node in &self.nodes {
            let what = format!("a whole cluster at port {}", node.port());
            wait::eventually(&what, MEET_TIMEOUT, || {
                let info = node.cli(&["CLUSTER", "INFO"])?;
                let has = |line: &str| info.lines().any(|l| l.trim_end() == line);
                let whole = ["cluster_state:ok", "cluster_slots_ok:16384", "cluster_known_nodes:3"];
                match whole.iter().find(|line| !has(line)) {
                    Some(line) => bail!("not {line}"),
                    None => Ok(()),
                }
            })?;
        }
        Ok(())
    }
}
