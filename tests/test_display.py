import math

from driftkit.display import interval, number, reasons, section, signed, table, to_text


def test_numbers():
    assert number(0.12345) == "0.12"
    assert number(12345.6, 3) == "12,346"
    assert number(math.nan) == "-"


def test_changes_show_their_sign_unless_they_round_to_zero():
    assert [signed(x) for x in (0.1, -0.1, 0.0004, -0.0004)] == [
        "+0.100",
        "-0.100",
        "0.000",
        "0.000",
    ]
    assert interval(-0.1, 0.2) == "-0.100 to +0.200"
    assert interval(math.nan, math.nan) == "-"


def test_reasons_are_given_once():
    lines = reasons([("a", None), ("b", "too few"), ("b", "too few")])
    assert [line.plain for line in lines] == ["Not measured: b: too few."]


def test_a_section_has_a_title_and_a_table_under_it():
    made = table("word", right=("n",))
    made.add_row("good", "3")
    assert to_text(section("Words", made), 30).splitlines() == ["", "Words", "word n", "good 3"]
