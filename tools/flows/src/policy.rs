//! What a system may do: `policy.toml`, and how a description differs from it.
//!
//! One design rule: the policy is complete. A right that it does not name is a difference, and so is one that it
//! names and the description does not give, so that neither can change unnoticed.

use crate::flows::{Access, Flows, Pair};
use crate::paths::{Paths, shown};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Who may reach a region.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// May write (and read).
    #[serde(default)]
    pub write: BTreeSet<String>,
    /// May read.
    #[serde(default)]
    pub read: BTreeSet<String>,
}

/// A statement about the ways of data.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// A PD or a region.
    pub from: String,
    /// A PD or a region.
    pub to: String,
    /// Every way touches one of these; empty: there is no way.
    #[serde(default)]
    pub only_through: Vec<String>,
    /// Why, for people.
    pub because: String,
}

/// The contents of `policy.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Regions by name.
    #[serde(default)]
    pub regions: BTreeMap<String, Grant>,
    /// Who may signal whom; each pair in both directions.
    #[serde(default)]
    pub signals: BTreeSet<(String, String)>,
    /// Who may call whom.
    #[serde(default)]
    pub calls: BTreeSet<(String, String)>,
    /// Who controls whom.
    #[serde(default)]
    pub controls: BTreeMap<String, BTreeSet<String>>,
    /// Interrupt numbers by PD.
    #[serde(default)]
    pub interrupts: BTreeMap<String, BTreeSet<u32>>,
    /// I/O ports by PD, each as `first..end`.
    #[serde(default)]
    pub ports: BTreeMap<String, BTreeSet<String>>,
    /// Statements about ways.
    #[serde(default)]
    pub rule: Vec<Rule>,
}

/// One difference between a description and a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference(pub String);

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Policy {
    /// Parses `policy.toml`.
    ///
    /// # Errors
    /// Names line and column.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Everything in which `flows` differs from this policy.
    pub fn compare(&self, flows: &Flows) -> Vec<Difference> {
        let mut found = Vec::new();
        self.compare_regions(flows, &mut found);
        self.compare_pairs(flows, &mut found);
        let (policy, given) = (owned(&self.interrupts), owned(&flows.interrupts));
        difference("gets interrupt", &policy, &given, &mut found);
        difference("uses I/O ports", &owned(&self.ports), &owned(&flows.ports), &mut found);
        self.check_rules(flows, &mut found);
        found
    }

    fn compare_regions(&self, flows: &Flows, found: &mut Vec<Difference>) {
        let writes = |region: &String, pds: &BTreeSet<String>| -> Vec<(String, String)> {
            pds.iter().map(|pd| (pd.clone(), region.clone())).collect()
        };
        let declared: BTreeSet<_> = self.regions.iter().flat_map(|(r, g)| writes(r, &g.write)).collect();
        let given: BTreeSet<_> = flows.regions.iter().flat_map(|(r, a)| writes(r, &a.write)).collect();
        difference("writes region", &flip(&declared), &flip(&given), found);
        let declared: BTreeSet<_> = self.regions.iter().flat_map(|(r, g)| writes(r, &g.read)).collect();
        let readers =
            |access: &Access| access.read.difference(&access.write).cloned().collect::<BTreeSet<_>>();
        let given: BTreeSet<_> = flows.regions.iter().flat_map(|(r, a)| writes(r, &readers(a))).collect();
        difference("reads region", &flip(&declared), &flip(&given), found);
        let executed = flows.regions.iter().filter(|(_, access)| !access.execute.is_empty());
        found.extend(executed.map(|(region, _)| Difference(format!("region {region} is executable"))));
    }

    fn compare_pairs(&self, flows: &Flows, found: &mut Vec<Difference>) {
        let given = |pairs: &BTreeSet<Pair>| -> BTreeSet<(String, String)> {
            pairs.iter().map(|pair| (pair.to.clone(), pair.from.clone())).collect()
        };
        let both =
            self.signals.iter().flat_map(|(a, b)| [(a.clone(), b.clone()), (b.clone(), a.clone())]).collect();
        difference("signals", &both, &given(&flows.notify), found);
        difference("calls", &flip(&self.calls), &given(&flows.call), found);
        let controls = self.controls.iter();
        let controls = controls.flat_map(|(parent, children)| {
            children.iter().map(|c| (c.clone(), parent.clone())).collect::<Vec<_>>()
        });
        difference("controls", &controls.collect(), &given(&flows.control), found);
    }

    fn check_rules(&self, flows: &Flows, found: &mut Vec<Difference>) {
        let paths = Paths::of(flows);
        let known = |name: &String| flows.pds.contains(name) || flows.regions.contains_key(name);
        for rule in &self.rule {
            let Rule { from, to, only_through, because } = rule;
            if let Some(name) = [from, to].into_iter().chain(only_through).find(|name| !known(name)) {
                found.push(Difference(format!(
                    "the rule from {from} to {to} names '{name}', which is no PD and no region"
                )));
            } else if let Some(way) = paths.find(from, to, only_through) {
                found.push(Difference(format!(
                    "from {from} to {to} there is a way that the policy excludes ({because}): {}",
                    shown(&way)
                )));
            }
        }
    }
}

/// What belongs to PDs, as pairs of (object, owner).
fn owned<T: ToString>(map: &BTreeMap<String, BTreeSet<T>>) -> BTreeSet<(String, String)> {
    map.iter().flat_map(|(pd, owned)| owned.iter().map(|one| (one.to_string(), pd.clone()))).collect()
}

fn flip(pairs: &BTreeSet<(String, String)>) -> BTreeSet<(String, String)> {
    pairs.iter().map(|(a, b)| (b.clone(), a.clone())).collect()
}

/// Pairs of (object, subject) that only one side has.
fn difference(
    does: &str,
    policy: &BTreeSet<(String, String)>,
    given: &BTreeSet<(String, String)>,
    found: &mut Vec<Difference>,
) {
    let more = given.difference(policy);
    found.extend(more.map(|(object, subject)| {
        Difference(format!("{subject} {does} {object}, which the policy does not allow"))
    }));
    let less = policy.difference(given);
    found.extend(less.map(|(object, subject)| {
        Difference(format!("the policy says that {subject} {does} {object}, which the system does not give"))
    }));
}
