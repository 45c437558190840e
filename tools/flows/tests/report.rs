//! The repository's own system against its policy, and systems that break it.

use std::path::{Path, PathBuf};
use tools_flows::{Flows, Policy, dot, json, svg, text};
use tools_sysgen::{Description, SearchPath, board};

fn root(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file)
}

fn flows(edit: impl FnOnce(String) -> String) -> Flows {
    let source = edit(std::fs::read_to_string(root("system.xml")).expect("system.xml"));
    let description =
        Description::parse("system.xml", &source).unwrap_or_else(|problems| panic!("\n{problems}"));
    let board = board("qemu_virt_aarch64").expect("the board");
    Flows::of(
        &description
            .resolve(&board, &SearchPath::default())
            .unwrap_or_else(|problems| panic!("\n{problems}")),
    )
}

fn policy() -> Policy {
    let text = std::fs::read_to_string(root("policy.toml")).expect("policy.toml");
    Policy::parse(&text).unwrap_or_else(|error| panic!("policy.toml: {error}"))
}

fn differences(flows: &Flows) -> Vec<String> {
    policy().compare(flows).iter().map(ToString::to_string).collect()
}

#[test]
fn the_system_does_exactly_what_the_policy_allows() {
    assert_eq!(differences(&flows(|text| text)), Vec::<String>::new());
}

#[test]
fn a_region_that_one_more_pd_reads_is_named() {
    let map = r#"<map mr="storage_health" vaddr="0x20302000" perms="rw" setvar_vaddr="health"/>"#;
    let more = r#"<map mr="console_to_session" vaddr="0x30000000" perms="r"/>"#;
    let changed = flows(|text| {
        assert!(text.contains(map));
        text.replace(map, &format!("{map}{more}"))
    });
    let found = differences(&changed);
    assert!(
        found.contains(&"storage reads region console_to_session, which the policy does not allow".into()),
        "{found:?}"
    );
    let way = "from console_to_session to storage there is a way that the policy excludes";
    assert!(found.iter().any(|line| line.starts_with(way)), "{found:?}");
}

#[test]
fn a_channel_more_and_a_right_less_are_named() {
    let channel = r#"<channel><end pd="session" id="40"/><end pd="storage" id="40"/></channel></system>"#;
    let more = flows(|text| text.replace("</system>", channel));
    assert_eq!(
        differences(&more),
        [
            "storage signals session, which the policy does not allow",
            "session signals storage, which the policy does not allow"
        ]
    );
    let map = r#"<map mr="vocabulary" vaddr="0x400000000" perms="r" setvar_vaddr="vocabulary" setvar_size="vocabulary_size"/>"#;
    let less = flows(|text| {
        assert!(text.contains(map));
        text.replace(map, "")
    });
    assert_eq!(
        differences(&less),
        ["the policy says that session reads region vocabulary, which the system does not give"]
    );
}

#[test]
fn a_rule_about_something_unknown_is_an_error_and_not_silently_true() {
    let rule = "[[rule]]\nfrom = \"weights\"\nto = \"consle\"\nbecause = \"x\"\n";
    let policy = Policy::parse(rule).expect("well-formed");
    let found = policy.compare(&flows(|text| text));
    assert!(found.iter().any(|d| d.0.contains("names 'consle'")));
    assert!(Policy::parse("[[rule]]\nfrom = \"a\"\ntoo = \"b\"\n").is_err(), "misspelt keys are errors");
}

#[test]
fn the_report_comes_as_text_json_and_pictures() {
    let flows = flows(|text| text);
    let text = text(&flows);
    assert!(text.contains("console\n") && text.contains("uart (device)"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&json(&flows).expect("serialises")).expect("is JSON");
    assert_eq!(json["regions"]["weights"]["write"], serde_json::json!(["loader"]));
    assert!(dot(&flows).contains("\"loader\" -> \"compute\" [label=\"weights\"];"));
    let picture = svg(&flows);
    assert!(picture.contains("<title>weights</title>") && picture.ends_with("</svg>\n"));
    assert_eq!(picture.matches("<rect").count(), flows.pds.len());
}
