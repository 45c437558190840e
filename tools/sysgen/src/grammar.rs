//! Which elements and attributes a description may have, and which of Microkit's this tool refuses.
//!
//! One design rule: the format is a table, so every unknown word gets the same kind of answer: what is allowed here,
//! and the closest known word. Source: Microkit 2.3.0, manual, "System Description File".

use crate::problem::{Problems, did_you_mean};
use crate::xml::Element;

/// What one element may have.
struct Rule {
    tag: &'static str,
    attributes: &'static [&'static str],
    children: &'static [&'static str],
}

const RULES: &[Rule] = &[
    Rule {
        tag: "system",
        attributes: &[],
        children: &["protection_domain", "memory_region", "channel", "io_address_space"],
    },
    Rule {
        tag: "memory_region",
        attributes: &["name", "size", "page_size", "phys_addr", "prefill_path"],
        children: &[],
    },
    Rule {
        tag: "protection_domain",
        attributes: &[
            "name",
            "priority",
            "budget",
            "period",
            "passive",
            "stack_size",
            "smc",
            "cpu",
            "fpu",
            "id",
            "setvar_id",
        ],
        children: &["program_image", "map", "irq", "setvar", "protection_domain", "ioport"],
    },
    Rule { tag: "program_image", attributes: &["path", "path_for_symbols"], children: &[] },
    Rule {
        tag: "map",
        attributes: &["mr", "vaddr", "perms", "cached", "setvar_vaddr", "setvar_size", "setvar_prefill_size"],
        children: &[],
    },
    Rule {
        tag: "irq",
        attributes: &[
            "irq",
            "id",
            "trigger",
            "setvar_id",
            "pin",
            "vector",
            "ioapic",
            "polarity",
            "pcidev",
            "handle",
        ],
        children: &[],
    },
    Rule { tag: "setvar", attributes: &["symbol", "region_paddr"], children: &[] },
    Rule { tag: "ioport", attributes: &["id", "addr", "size", "setvar_id", "setvar_addr"], children: &[] },
    Rule { tag: "channel", attributes: &[], children: &["end"] },
    Rule { tag: "end", attributes: &["pd", "id", "pp", "notify", "setvar_id"], children: &[] },
    Rule {
        tag: "io_address_space",
        attributes: &["name", "peripheral_id", "domain_id"],
        children: &["iomap"],
    },
    Rule { tag: "iomap", attributes: &["mr", "iovaddr", "perms"], children: &[] },
];

/// Elements of Microkit's format that this tool refuses, each with the reason.
const REFUSED_ELEMENTS: &[(&str, &str)] = &[
    ("virtual_machine", "Cloister runs no virtual machines; make the guest's work a protection domain"),
    ("vcpu", "Cloister runs no virtual machines"),
    (
        "cspace",
        "extra capabilities would let a PD reach past its channels; use a channel or make it a parent",
    ),
    ("domains", "domain scheduling is not part of Cloister; use budget, period and cpu"),
];

/// Attributes that this tool refuses: element, attribute, reason.
const REFUSED_ATTRIBUTES: &[(&str, &str, &str)] = &[
    ("protection_domain", "domain", "domain scheduling is not part of Cloister; use budget, period and cpu"),
    ("memory_region", "prefill_bootinfo", "boot information is not handed out; use prefill_path"),
];

/// Checks an element and everything in it against the table.
pub fn check(root: &Element, problems: &mut Problems) {
    if root.tag != "system" {
        let message = format!("the root element is <{}>; a system description's root is <system>", root.tag);
        problems.at(&root.place, message);
        return;
    }
    element(root, problems);
}

fn element(element_: &Element, problems: &mut Problems) {
    let Some(rule) = RULES.iter().find(|rule| rule.tag == element_.tag) else { return };
    attributes(element_, rule, problems);
    for child in element_.elements() {
        if rule.children.contains(&child.tag.as_str()) {
            element(child, problems);
        } else {
            stranger(child, rule, problems);
        }
    }
}

fn attributes(element: &Element, rule: &Rule, problems: &mut Problems) {
    for attribute in &element.attributes {
        if rule.attributes.contains(&attribute.name.as_str()) {
            continue;
        }
        let refused =
            REFUSED_ATTRIBUTES.iter().find(|(tag, name, _)| *tag == rule.tag && *name == attribute.name);
        let why = match refused {
            Some((_, _, reason)) => format!("is refused: {reason}"),
            None if rule.attributes.is_empty() => "is not known; this element has no attributes".into(),
            None => {
                let close = did_you_mean(&attribute.name, rule.attributes.iter().copied());
                format!("is not known{close}; known are {}", rule.attributes.join(", "))
            }
        };
        problems.at(&attribute.place, format!("<{}> attribute '{}' {why}", rule.tag, attribute.name));
    }
}

fn stranger(child: &Element, rule: &Rule, problems: &mut Problems) {
    let refused = REFUSED_ELEMENTS.iter().find(|(tag, _)| *tag == child.tag);
    let why = match refused {
        Some((_, reason)) => format!("is refused: {reason}"),
        None if RULES.iter().any(|known| known.tag == child.tag) => {
            let parents = RULES.iter().filter(|r| r.children.contains(&child.tag.as_str()));
            let parents: Vec<_> = parents.map(|r| format!("<{}>", r.tag)).collect();
            match parents.is_empty() {
                true => format!("cannot stand inside <{}>; it is the root", rule.tag),
                false => format!("cannot stand inside <{}>; move it into {}", rule.tag, parents.join(" or ")),
            }
        }
        None if rule.children.is_empty() => {
            format!("cannot stand inside <{}>, which has no children", rule.tag)
        }
        None => {
            let close = did_you_mean(&child.tag, rule.children.iter().copied());
            format!("is not known inside <{}>{close}; known are {}", rule.tag, rule.children.join(", "))
        }
    };
    problems.at(&child.place, format!("element <{}> {why}", child.tag));
}
