"""Words of lists, as pages write them."""

from src_app.choices import NamedChoices


class Colour(NamedChoices):
    RED = "red", "Red as a rose"


def test_a_word_that_has_left_its_list_is_written_as_it_is_stored() -> None:
    assert (Colour.label_of("red"), Colour.label_of("mauve")) == ("Red as a rose", "mauve")
