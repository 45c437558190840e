// SPDX-License-Identifier: MIT
//! Values that are made of digits: numbers with units, dates, codes.

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const ORDINALS: [&str; 9] =
    ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"];

/// One of `choices`.
pub fn one<'a>(choices: &[&'a str], rng: &mut fastrand::Rng) -> &'a str {
    choices[rng.usize(..choices.len())]
}

/// A value of a kind that is made of digits; `None` for other kinds.
pub fn number(kind: &str, rng: &mut fastrand::Rng) -> Option<String> {
    settings(kind, rng)
        .or_else(|| measures(kind, rng))
        .or_else(|| times(kind, rng))
        .or_else(|| codes(kind, rng))
}

/// Values of the console's parameters.
fn settings(kind: &str, rng: &mut fastrand::Rng) -> Option<String> {
    let tenths = |n: u32| format!("{}.{}", n / 10, n % 10);
    Some(match kind {
        "temperature-setting" => match rng.u8(..10) {
            0 => "1".to_string(),
            1 => "0".to_string(),
            2 => format!("0.{:02}", rng.u32(1..100)),
            _ => tenths(rng.u32(1..20)),
        },
        "fraction" => match rng.u8(..3) {
            0 => format!("0.{:02}", rng.u32(1..100)),
            _ => format!("0.{}", rng.u32(1..10)),
        },
        "penalty" => match rng.u8(..2) {
            0 => format!("1.{:02}", rng.u32(1..60)),
            _ => format!("1.{}", rng.u32(0..8)),
        },
        "integer" => match rng.u8(..4) {
            0 => one(&["16", "32", "64", "128", "256", "512", "1024", "2048", "4096"], rng).to_string(),
            1 => rng.u32(1..100).to_string(),
            2 => (10 * rng.u32(1..100)).to_string(),
            _ => rng.u32(1..10_000).to_string(),
        },
        "small" => rng.u32(1..60).to_string(),
        "columns" => match rng.u8(..2) {
            0 => one(&["60", "72", "80", "100", "120", "132", "160"], rng).to_string(),
            _ => rng.u32(20..300).to_string(),
        },
        _ => return None,
    })
}

/// How many there are, as people write it.
fn quantity(rng: &mut fastrand::Rng) -> String {
    const WORDS: [&str; 16] = [
        "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
        "fifteen", "twenty", "thirty", "forty", "fifty",
    ];
    match rng.u8(..6) {
        0 => one(&WORDS, rng).to_string(),
        1 => format!("{},{:03}", rng.u32(1..400), rng.u32(..1000)),
        2 => format!("{},{}00", rng.u32(1..90), rng.u32(..10)),
        3 => rng.u32(100..9000).to_string(),
        _ => rng.u32(2..200).to_string(),
    }
}

fn measures(kind: &str, rng: &mut fastrand::Rng) -> Option<String> {
    let (low, high, units): (u32, u32, &[&str]) = match kind {
        "number" => (3, 500, &[""]),
        "percent" => (2, 99, &[" percent", " percent", "%"]),
        "dose" => (1, 900, &[" mg", " mg", " ml", " drops", " tablets"]),
        "temperature" => (1, 400, &[" degrees", " degrees", " degrees Celsius"]),
        "pressure" => (1, 300, &[" bar", " bar", " kPa", " psi"]),
        "speed" => (20, 9000, &[" rpm", " rpm", " km/h", " turns a minute"]),
        "weight" => (2, 900, &[" kg", " kg", " grams", " tons", " pounds"]),
        "length" => (2, 900, &[" metres", " cm", " feet", " mm"]),
        "money" => (5, 9000, &[" euros", " dollars", " francs", " pounds", " crowns", " cents"]),
        "power" => (2, 900, &[" kW", " watts", " kilowatts"]),
        "memory" => (1, 512, &[" GB", " GiB", " MB"]),
        "distance" => (2, 900, &[" km", " kilometres", " miles", " metres"]),
        "minutes" => (3, 90, &[" minutes"]),
        "duration" => (2, 60, &[" days", " weeks", " months", " hours"]),
        "million" => (2, 90, &[" million", " million", " thousand"]),
        "reading" => (1, 900, &[" volts", " degrees", " percent", " ppm", " bar", " lux", ""]),
        _ => return None,
    };
    let value = rng.u32(low..high);
    let grouped = matches!(kind, "money" | "weight" | "length" | "power") && rng.u8(..4) == 0;
    let value = if grouped {
        format!("{},{:03}", rng.u32(1..90), rng.u32(..1000))
    } else if rng.u8(..6) == 0 && kind != "number" && kind != "million" {
        format!("{value}.{}", rng.u32(1..10))
    } else {
        value.to_string()
    };
    Some(value + one(units, rng))
}

fn times(kind: &str, rng: &mut fastrand::Rng) -> Option<String> {
    Some(match kind {
        "date" => match rng.u8(..5) {
            3 => format!("{} {}, {}", one(&MONTHS, rng), rng.u32(1..29), rng.u32(1850..2027)),
            4 => format!("{} {}", one(&MONTHS, rng), rng.u32(1850..2027)),
            0 => format!("{} {} {}", rng.u32(1..29), one(&MONTHS, rng), rng.u32(1950..2027)),
            1 => format!("{} {}", one(&MONTHS, rng), rng.u32(1..29)),
            _ => format!("{} {}", rng.u32(1..29), one(&MONTHS, rng)),
        },
        "quantity" => quantity(rng),
        "year" => rng.u32(1820..2027).to_string(),
        "weekday" => one(&WEEKDAYS, rng).to_string(),
        "time" => match rng.u8(..4) {
            0 => format!("{} o'clock", one(&["eight", "nine", "ten", "two", "three", "six", "seven"], rng)),
            1 => format!("{}:{:02}", rng.u32(0..24), 5 * rng.u32(0..12)),
            2 => format!(
                "{}:{:02} {}",
                rng.u32(1..13),
                5 * rng.u32(0..12),
                one(&["am", "pm", "a.m.", "p.m."], rng)
            ),
            _ => format!("{} {}", rng.u32(1..13), one(&["am", "pm"], rng)),
        },
        "month" => one(&MONTHS, rng).to_string(),
        "ordinal" => one(&ORDINALS, rng).to_string(),
        _ => return None,
    })
}

fn codes(kind: &str, rng: &mut fastrand::Rng) -> Option<String> {
    Some(match kind {
        "phone" => format!("{}-{:03}-{:04}", rng.u32(10..100), rng.u32(..1000), rng.u32(..10_000)),
        "portnumber" => rng.u32(21..65_000).to_string(),
        "ip" => format!("10.{}.{}.{}", rng.u32(..256), rng.u32(..256), rng.u32(1..255)),
        "code" => match rng.u8(..3) {
            0 => format!("{:04}", rng.u32(..10_000)),
            1 => format!("{}{}-{}", letter(rng), letter(rng), rng.u32(10..10_000)),
            _ => format!("{}{}{}", rng.u32(1..100), letter(rng), rng.u32(1..100)),
        },
        "errorcode" => match rng.u8(..3) {
            0 => format!("error {}", rng.u32(1..100)),
            1 => format!("code {}{}", letter(rng), rng.u32(1..100)),
            _ => format!("E{}", rng.u32(1..1000)),
        },
        "version" => match rng.u8(..2) {
            0 => format!("{}.{}", rng.u32(1..30), rng.u32(..20)),
            _ => format!("{}.{}.{}", rng.u32(..12), rng.u32(..20), rng.u32(..10)),
        },
        "flight" => format!("{}{} {}", letter(rng), letter(rng), rng.u32(10..9999)),
        "gate" => format!("{}{}", one(&["", "A", "B", "C"], rng), rng.u32(1..60)),
        "platform" => format!("platform {}", rng.u32(1..25)),
        "shelf" => match rng.u8(..2) {
            0 => format!("shelf {}", rng.u32(1..60)),
            _ => format!("shelf {}{}", letter(rng), rng.u32(1..20)),
        },
        "train" => match rng.u8(..3) {
            0 => format!("train {}", rng.u32(1..900)),
            1 => format!("bus {}", rng.u32(1..100)),
            _ => format!("the IC {}", rng.u32(10..999)),
        },
        _ => return None,
    })
}

/// A capital letter.
pub fn letter(rng: &mut fastrand::Rng) -> char {
    char::from(b'A' + rng.u8(..24))
}

/// With a capital first letter.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_values_look_right() {
        let mut rng = fastrand::Rng::with_seed(3);
        for kind in ["date", "pressure", "ip", "code", "integer", "year", "percent", "version"] {
            let value = number(kind, &mut rng).unwrap();
            assert!(value.chars().any(|c| c.is_ascii_digit()), "{kind}: {value}");
        }
        assert_eq!(number("person", &mut rng), None);
    }
}
