//! Applies an overlay: the small differences that another board or machine makes.
//!
//! One design rule: an overlay names what it changes. An element is found by its tag and key (name, id, mr, symbol,
//! pd); its attributes are replaced (an empty value removes one), `remove="true"` removes it, `add="true"` adds it,
//! and an element that is neither found nor marked is an error, so a typo cannot add a device.

use crate::attribute::shorten;
use crate::problem::{Problems, did_you_mean};
use crate::xml::{Element, Node};

/// The attribute that tells elements of one tag apart; `None` where there is only one.
fn key(tag: &str) -> Option<&'static str> {
    match tag {
        "memory_region" | "protection_domain" | "io_address_space" => Some("name"),
        "map" | "iomap" => Some("mr"),
        "irq" | "ioport" => Some("id"),
        "setvar" => Some("symbol"),
        "end" => Some("pd"),
        _ => None,
    }
}

/// Applies `<overlay>` to `<system>`.
///
/// # Errors
/// It is not an overlay, or an element in it is neither found nor marked.
pub fn apply(system: &mut Element, overlay: &Element) -> Result<(), Problems> {
    let mut problems = Problems::default();
    if overlay.tag != "overlay" {
        problems
            .at(&overlay.place, format!("the root element is <{}>; an overlay's is <overlay>", overlay.tag));
        return Err(problems);
    }
    if let Some(attribute) = overlay.attributes.first() {
        problems.at(&attribute.place, format!("<overlay> attribute '{}': there are none", attribute.name));
    }
    contents(system, overlay, true, &mut problems);
    problems.or(())
}

fn contents(target: &mut Element, overlay: &Element, top: bool, problems: &mut Problems) {
    for node in &overlay.children {
        match node {
            Node::Element(change) => element(target, change, top, problems),
            Node::Directive { .. } if top => target.children.push(node.clone()),
            _ => {}
        }
    }
}

fn element(target: &mut Element, change: &Element, top: bool, problems: &mut Problems) {
    let mark = |name: &str| change.value(name).is_some_and(|value| value == "true");
    if mark("add") {
        let mut new = change.clone();
        new.attributes.retain(|attribute| attribute.name != "add");
        target.children.push(Node::Element(new));
        return;
    }
    let name = key(&change.tag).and_then(|key| change.value(key));
    if mark("remove") {
        if !remove(target, change, top) {
            problems.at(&change.place, not_found(target, change, name, "to remove"));
        }
        return;
    }
    let message = not_found(target, change, name, "to change; mark a new one with add=\"true\"");
    match find(target, change, top) {
        Some(found) => {
            merge(found, change);
            contents(found, change, false, problems);
        }
        None => problems.at(&change.place, message),
    }
}

fn merge(found: &mut Element, change: &Element) {
    for attribute in &change.attributes {
        if attribute.value.is_empty() {
            found.attributes.retain(|old| old.name != attribute.name);
        } else {
            found.set(&attribute.name, &attribute.value, &attribute.place);
        }
    }
}

fn not_found(target: &Element, change: &Element, name: Option<&str>, what: &str) -> String {
    let tag = &change.tag;
    let Some(name) = name else { return format!("there is no <{tag}> like this {what}") };
    let known = target.elements().filter(|element| element.tag == *tag);
    let known = known.filter_map(|element| key(tag).and_then(|key| element.value(key)));
    let close = did_you_mean(name, known);
    format!("there is no <{tag}> '{}' in <{}> {what}{close}", shorten(name), target.tag)
}

fn find<'a>(target: &'a mut Element, change: &Element, top: bool) -> Option<&'a mut Element> {
    if top && change.tag == "protection_domain" {
        return find_named(target, &change.tag, change.value("name")?);
    }
    target.elements_mut().find(|element| same(element, change))
}

/// An element by tag and name at any depth: PD names are unique in a system.
pub fn find_named<'a>(target: &'a mut Element, tag: &str, name: &str) -> Option<&'a mut Element> {
    for element in target.elements_mut() {
        if element.tag == tag && element.value("name") == Some(name) {
            return Some(element);
        }
        if let Some(found) = find_named(element, tag, name) {
            return Some(found);
        }
    }
    None
}

fn remove(target: &mut Element, change: &Element, top: bool) -> bool {
    let before = target.children.len();
    target.children.retain(|node| !node.element().is_some_and(|element| same(element, change)));
    if target.children.len() < before {
        return true;
    }
    top && change.tag == "protection_domain"
        && target.elements_mut().any(|element| remove(element, change, top))
}

/// Whether an element is the one that a change names.
fn same(element: &Element, change: &Element) -> bool {
    if element.tag != change.tag {
        return false;
    }
    if change.tag == "channel" {
        let ends = |e: &Element| {
            let mut ends: Vec<_> = e.elements().map(|end| end.value("pd").map(str::to_owned)).collect();
            ends.sort();
            ends
        };
        let ids = |e: &Element| e.elements().filter_map(|end| end.value("id")).count();
        return ends(element) == ends(change) && ids(change) <= 2;
    }
    key(&change.tag).is_none_or(|key| element.value(key).is_some() && element.value(key) == change.value(key))
}
