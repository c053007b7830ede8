"""Form fields as templates/forms/ writes them: each with its name, its hint and its errors tied to it."""

from typing import Any

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.template.loader import render_to_string
from django.test.html import Element, parse_html
from django.test.signals import template_rendered

from src_app.form_rendering import GovukRenderer

HINT = "As on the crime record."
REQUIRED = "Say what it is."
CHOICES = [("a", "The first"), ("b", "The second")]


def form_with(field: forms.Field, data: dict[str, Any] | None = None) -> forms.Form:
    """A form with ``field`` as ``what``."""
    form = forms.Form(data)
    form.fields["what"] = field
    return form


def field_of(kind: type[forms.Field], **more: Any) -> forms.Field:
    return kind(label="What", help_text=HINT, error_messages={"required": REQUIRED}, **more)


def shown(field: forms.Field, data: dict[str, Any] | None = None) -> Element:
    return parsed(form_with(field, data)["what"].as_field_group())


def parsed(html: str) -> Element:
    return parse_html(f"<body>{html}</body>")


def elements(root: Element, name: str, **attributes: str) -> list[Element]:
    """Those of that name with these attributes, in order."""
    found = []
    for child in root.children:
        if isinstance(child, Element):
            if child.name == name and all(attribute(child, key) == attributes[key] for key in attributes):
                found.append(child)
            found += elements(child, name, **attributes)
    return found


def element(root: Element, name: str, **attributes: str) -> Element:
    """The only one of them."""
    [found] = elements(root, name, **attributes)
    return found


def attribute(of: Element, name: str) -> str | None:
    """Its value; none of an attribute that is not there, and its name of one without a value."""
    values: dict[str, str | None] = dict(of.attributes)
    return (values[name] or name) if name in values else None


def classes(of: Element) -> set[str]:
    return set((attribute(of, "class") or "").split())


def words(of: Element) -> str:
    """Its text."""
    parts = [words(child) if isinstance(child, Element) else str(child) for child in of.children]
    return " ".join(" ".join(parts).split())


WITH_A_LABEL = [
    (field_of(forms.CharField), "input", "text", "govuk-input"),
    (field_of(forms.CharField, widget=forms.PasswordInput), "input", "password", "govuk-input"),
    (field_of(forms.EmailField), "input", "email", "govuk-input"),
    (field_of(forms.IntegerField), "input", "number", "govuk-input"),
    (
        field_of(forms.DateField, widget=forms.DateInput(attrs={"type": "date"})),
        "input",
        "date",
        "govuk-input",
    ),
    (
        field_of(forms.DateTimeField, widget=forms.DateTimeInput(attrs={"type": "datetime-local"})),
        "input",
        "datetime-local",
        "govuk-input",
    ),
    (field_of(forms.FileField, widget=forms.FileInput), "input", "file", "govuk-file-upload"),
    (field_of(forms.CharField, widget=forms.Textarea), "textarea", None, "govuk-textarea"),
    (field_of(forms.ChoiceField, choices=CHOICES), "select", None, "govuk-select"),
]


@pytest.mark.parametrize(("field", "name", "kind", "css"), WITH_A_LABEL, ids=lambda value: str(value)[:20])
def test_a_field_has_its_label_and_its_hint(
    field: forms.Field, name: str, kind: str | None, css: str
) -> None:
    page = shown(field)
    widget = element(page, name)
    assert attribute(widget, "type") == kind
    assert classes(widget) == {css}
    assert attribute(widget, "id") == "id_what"
    label = element(page, "label", **{"for": "id_what"})
    assert (words(label), classes(label)) == ("What", {"govuk-label"})
    assert words(element(page, "div", id="id_what_helptext", **{"class": "govuk-hint"})) == HINT
    assert attribute(widget, "aria-describedby") == "id_what_helptext"
    assert attribute(widget, "aria-invalid") is None
    assert not elements(page, "p")


@pytest.mark.parametrize(("field", "name", "kind", "css"), WITH_A_LABEL, ids=lambda value: str(value)[:20])
def test_a_field_says_what_is_wrong_with_it(
    field: forms.Field, name: str, kind: str | None, css: str
) -> None:
    page = shown(field, {})
    widget = element(page, name)
    assert classes(widget) == {css, f"{css}--error"}
    assert attribute(widget, "aria-invalid") == "true"
    assert attribute(widget, "aria-describedby") == "id_what_helptext id_what_error"
    error = element(page, "p", id="id_what_error", **{"class": "govuk-error-message"})
    assert words(error) == f"Error: {REQUIRED}"
    assert len(elements(page, "div", **{"class": "govuk-form-group govuk-form-group--error"})) == 1


def test_a_field_without_hint_or_error_is_described_by_nothing() -> None:
    page = shown(forms.CharField(label="What"))
    assert attribute(element(page, "input"), "aria-describedby") is None
    assert not elements(page, "div", id="id_what_helptext")


def test_several_errors_of_one_field_are_one_description() -> None:
    form = form_with(forms.CharField(label="What"), {"what": "x"})
    form.add_error("what", "Too short.")
    form.add_error("what", "Too plain.")
    page = parsed(form["what"].as_field_group())
    assert words(element(page, "p", id="id_what_error")) == "Error: Too short. Error: Too plain."


def test_a_width_that_a_form_asks_for_is_kept() -> None:
    widget = forms.TextInput(attrs={"class": "govuk-input--width-10", "autocomplete": "one-time-code"})
    text = element(shown(forms.CharField(widget=widget), {}), "input")
    assert classes(text) == {"govuk-input", "govuk-input--width-10", "govuk-input--error"}
    assert attribute(text, "autocomplete") == "one-time-code"


GROUPS = [
    (field_of(forms.ChoiceField, choices=CHOICES, widget=forms.RadioSelect), "radio", "govuk-radios", "a"),
    (
        field_of(forms.MultipleChoiceField, choices=CHOICES, widget=forms.CheckboxSelectMultiple),
        "checkbox",
        "govuk-checkboxes",
        ["a"],
    ),
]
BY_TYPE = pytest.mark.parametrize(("field", "kind", "css", "chosen"), GROUPS, ids=["radios", "checkboxes"])


@BY_TYPE
def test_a_group_has_a_legend_and_a_label_for_each_choice(
    field: forms.Field, kind: str, css: str, chosen: Any
) -> None:
    page = shown(field, {"what": chosen})
    fieldset = element(page, "fieldset", **{"class": "govuk-fieldset"})
    assert attribute(fieldset, "aria-describedby") == "id_what_helptext"
    assert words(element(fieldset, "legend", **{"class": "govuk-fieldset__legend"})) == "What"
    buttons = elements(element(fieldset, "div", **{"class": css}), "input", type=kind)
    assert [attribute(button, "id") for button in buttons] == ["id_what_0", "id_what_1"]
    assert [attribute(button, "checked") for button in buttons] == ["checked", None]
    assert [classes(button) for button in buttons] == [{f"{css}__input"}] * 2
    labels = [element(page, "label", **{"for": f"id_what_{number}"}) for number in range(2)]
    assert [words(label) for label in labels] == ["The first", "The second"]
    assert [classes(label) for label in labels] == [{"govuk-label", f"{css}__label"}] * 2


@BY_TYPE
def test_a_group_says_once_what_is_wrong_with_it(
    field: forms.Field, kind: str, css: str, chosen: Any
) -> None:
    page = shown(field, {})
    fieldset = element(page, "fieldset")
    assert attribute(fieldset, "aria-describedby") == "id_what_helptext id_what_error"
    assert words(element(fieldset, "p", id="id_what_error")) == f"Error: {REQUIRED}"
    for button in elements(fieldset, "input"):
        named = {"aria-invalid", "aria-describedby", "required"} & dict(button.attributes).keys()
        assert not named, "of the group, not of each of its buttons"


def test_one_checkbox_stands_before_its_label() -> None:
    page = shown(field_of(forms.BooleanField), {})
    assert not elements(page, "fieldset")
    item = element(page, "div", **{"class": "govuk-checkboxes__item"})
    tick, label = [child for child in item.children if isinstance(child, Element)]
    assert (tick.name, classes(tick)) == ("input", {"govuk-checkboxes__input"})
    assert attribute(tick, "aria-describedby") == "id_what_helptext id_what_error"
    assert (attribute(label, "for"), words(label)) == ("id_what", "What")
    assert classes(label) == {"govuk-label", "govuk-checkboxes__label"}
    assert words(element(page, "p", id="id_what_error")) == f"Error: {REQUIRED}"


def test_a_page_may_ask_for_a_larger_name_and_smaller_buttons() -> None:
    text = form_with(forms.CharField(label="What"))["what"]
    page = parsed(render_to_string("forms/field.html", {"field": text, "size": "m"}))
    assert classes(element(page, "label")) == {"govuk-label", "govuk-label--m"}
    radios = form_with(forms.ChoiceField(choices=CHOICES, widget=forms.RadioSelect))["what"]
    page = parsed(render_to_string("forms/choices.html", {"field": radios, "size": "s", "small": True}))
    assert classes(element(page, "legend")) == {"govuk-fieldset__legend", "govuk-fieldset__legend--s"}
    assert elements(page, "div", **{"class": "govuk-radios govuk-radios--small"})


class KeyedForm(forms.Form):
    key = forms.CharField(widget=forms.HiddenInput, error_messages={"required": "Open this page again."})
    way = forms.ChoiceField(
        choices=CHOICES, widget=forms.RadioSelect, error_messages={"required": "Choose a way."}
    )
    name = forms.CharField(label="Name")


def test_a_whole_form_shows_its_own_errors_then_every_field() -> None:
    form = KeyedForm({"key": "k", "way": "a", "name": "n"})
    form.add_error(None, "Somebody else was faster.")
    page = parsed(str(form))
    assert words(element(page, "p")) == "Error: Somebody else was faster."
    key, *others = elements(page, "input")
    assert (attribute(key, "type"), attribute(key, "value")) == ("hidden", "k")
    assert attribute(key, "class") is None
    assert [attribute(other, "name") for other in others] == ["way", "way", "name"]
    assert len(elements(page, "div", **{"class": "govuk-form-group"})) == 2


def test_the_error_summary_leads_to_the_first_choice_and_to_no_hidden_field() -> None:
    page = parsed(render_to_string("partials/_error_summary.html", {"form": KeyedForm({})}))
    assert [words(entry) for entry in elements(page, "li")] == [
        "Open this page again.",
        "Choose a way.",
        "Name: this is required.",
    ]
    assert [attribute(link, "href") for link in elements(page, "a")] == ["#id_way_0", "#id_name"]


def test_nothing_that_somebody_wrote_becomes_markup() -> None:
    evil = "<script>"
    field = forms.ChoiceField(
        label=evil, help_text=evil, choices=[(evil, evil)], widget=forms.RadioSelect, required=False
    )
    form = form_with(field, {"what": evil})
    form.add_error("what", evil)
    html = form["what"].as_field_group()
    assert evil not in html
    assert html.count("&lt;script&gt;") == 5


def _drawn(options: int) -> int:
    """How many templates a list of so many options takes."""
    drawn: list[Any] = []

    def note(**rendered: Any) -> None:
        drawn.append(rendered["template"])

    choices = [(number, f"Ward {number}") for number in range(options)]
    field = form_with(field_of(forms.ChoiceField, choices=choices))["what"]
    template_rendered.connect(note)
    try:
        str(field)
    finally:
        template_rendered.disconnect(note)
    return len(drawn)


def test_a_long_list_to_choose_from_takes_no_more_templates_than_a_short_one() -> None:
    assert _drawn(79) == _drawn(2) > 0


def test_a_list_to_choose_from_has_the_options_that_djangos_has() -> None:
    choices = [("", "<any>"), ("Merton", [(1, "Abbey"), (2, 'St "Helier"')]), (3, "Balham")]
    select = forms.Select(choices=choices)
    ours, djangos = (
        parse_html(select.render("ward", 2, {"id": "id_ward"}, renderer=renderer))
        for renderer in (GovukRenderer(), DjangoTemplates())
    )
    assert ours == djangos
