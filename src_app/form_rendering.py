"""Forms and their fields in GOV.UK Frontend's markup, which is in ``templates/forms/``."""

from typing import Any

from django.forms import BoundField, widgets
from django.forms.renderers import TemplatesSetting

# The first that fits gives a widget its class.
_CLASSES: tuple[tuple[type[widgets.Widget], str], ...] = (
    (widgets.CheckboxSelectMultiple, "govuk-checkboxes__input"),
    (widgets.CheckboxInput, "govuk-checkboxes__input"),
    (widgets.RadioSelect, "govuk-radios__input"),
    (widgets.FileInput, "govuk-file-upload"),
    (widgets.Select, "govuk-select"),
    (widgets.Textarea, "govuk-textarea"),
    (widgets.Input, "govuk-input"),
)
_WITH_ERROR_CLASS = ("govuk-file-upload", "govuk-select", "govuk-textarea", "govuk-input")


class GovukField(BoundField):
    """A field of a form as its page shows it."""

    @property
    def is_group(self) -> bool:
        """Several radio buttons or checkboxes, with a legend in place of a label."""
        return isinstance(self.field.widget, widgets.RadioSelect)

    @property
    def component(self) -> str:
        """The component of GOV.UK Frontend that a group is."""
        is_checkboxes = isinstance(self.field.widget, widgets.CheckboxSelectMultiple)
        return "govuk-checkboxes" if is_checkboxes else "govuk-radios"

    @property
    def longest(self) -> int | None:
        """How many characters a text of several lines may have: its page counts down what is left."""
        is_text = isinstance(self.field.widget, widgets.Textarea)
        return getattr(self.field, "max_length", None) if is_text else None

    @property
    def aria_describedby(self) -> str | None:
        """The hint, the errors and how much may be typed."""
        described = super().aria_describedby
        count = f"{self.auto_id}-info" if self.longest else ""
        return " ".join(filter(None, [described, count])) or None

    @property
    def template_name(self) -> str:
        if self.is_group:
            return "forms/choices.html"
        if isinstance(self.field.widget, widgets.CheckboxInput):
            return "forms/tick.html"
        return super().template_name

    @property
    def first_id(self) -> str:
        """The id of what a person goes to from the error summary: of several choices, the first."""
        return f"{self.auto_id}_0" if self.is_group else self.id_for_label

    def build_widget_attrs(
        self, attrs: dict[str, Any], widget: widgets.Widget | None = None
    ) -> dict[str, Any]:
        """With the widget's class beside those that its form gave it, such as a width."""
        widget = widget or self.field.widget
        attrs = super().build_widget_attrs(attrs, widget)
        if widget.is_hidden:
            return attrs
        if self.is_group:
            # Of the group, not of each button in it, where neither may stand.
            attrs.pop("aria-invalid", None)
            attrs.pop("required", None)
        base = next((name for kind, name in _CLASSES if isinstance(widget, kind)), "")
        classes = [base, widget.attrs.get("class", "")]
        if self.longest:
            classes.append("govuk-js-character-count")
        if self.errors and base in _WITH_ERROR_CLASS:
            classes.append(f"{base}--error")
        attrs["class"] = " ".join(filter(None, classes))
        return attrs


class GovukRenderer(TemplatesSetting):
    """Every form and field of the project."""

    form_template_name = "forms/form.html"
    field_template_name = "forms/field.html"
    bound_field_class = GovukField
