"""Each recipe of the workbench is right as it stands, with what its gaps suggest."""

import re
from pathlib import Path
from textwrap import indent

import pytest

import sfmap
from sfmap.engine.workbench.recipe_book import Recipe, recipes

HEAD = "sfmap: 1\nevent: identify\nobject: {}\nmatch: Email\n"
RULES = {
    "Email": "traits.email",
    "LastName": "{from: traits.name | last_name, default: n/a}",
    "Company": "{from: traits.company, default: n/a}",
}


def mapping_with(recipe: Recipe) -> str:
    """A small mapping with the recipe in it, without rules for the fields that the recipe writes."""
    if recipe.place == "file":
        return recipe.plain_text
    is_of_person = "Account" in recipe.plain_text
    text = HEAD.format("Contact" if is_of_person else "Lead")
    own = "" if recipe.place == "mapping" else recipe.plain_text
    rules = {
        name: rule
        for name, rule in RULES.items()
        if not re.search(rf"^{name}:", own, re.MULTILINE) and not (is_of_person and name == "Company")
    }
    text += "" if own else recipe.plain_text
    return text + "fields:\n" + indent("".join(f"{name}: {rule}\n" for name, rule in rules.items()) + own, "  ")


MAY_BE_UNKNOWN = {"SF040", "SF041"}
"""Objects and fields that not every org has."""
COMES_WITHOUT_IDS = {"SF052"}


def project_with(folder: Path, recipe: Recipe) -> sfmap.Project:
    (folder / "mappings").mkdir()
    (folder / "sfmap.yaml").write_text("mappings: mappings\n")
    (folder / "mappings" / "m.yaml").write_text(mapping_with(recipe))
    return sfmap.Project(folder)


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.title)
def test_a_recipe_passes_the_check(tmp_path: Path, recipe: Recipe) -> None:
    found = project_with(tmp_path, recipe).check()
    assert [one for one in found if one.code not in MAY_BE_UNKNOWN | COMES_WITHOUT_IDS] == []


SCORES = [
    ({"plan": "enterprise", "employees": "80", "email": "a@initech.com"}, 60),
    ({"plan": "free", "email": "a@gmail.com"}, 0),
    ({"employees": "many", "email": "a@initech.com"}, 10),
]


@pytest.mark.parametrize(("traits", "score"), SCORES)
def test_the_score_is_a_sum(tmp_path: Path, traits: dict[str, object], score: int) -> None:
    (recipe,) = (one for one in recipes() if one.title == "Score")
    (payload,) = project_with(tmp_path, recipe).render({"type": "identify", "traits": traits})
    assert payload["fields"]["Score__c"] == score, payload


def test_titles_are_of_one_recipe_each() -> None:
    titles = [recipe.title for recipe in recipes()]
    assert len(set(titles)) == len(titles) > 20
