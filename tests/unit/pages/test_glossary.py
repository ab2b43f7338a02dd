"""Pages explain their terms: those of the glossary that stand on them, and no others."""

from zeuxis.pages.glossary import glossary, terms_of
from zeuxis.pages.page import render


def test_terms_stand_with_their_meanings_and_words_inside_others_do_not():
    html = "<style>hinge</style><p>Two <b>critics</b> and their coverage; classified, subclass</p>"
    assert [term for term, _ in terms_of(html)] == ["coverage", "critic, discriminator"]
    assert all(said and "*" not in said and "](" not in said for _, said in glossary()) and len(glossary()) > 60


def test_a_page_ends_with_its_terms(tmp_path):
    page = render("families", zeuxis="0", kicker="a", title="b", sentence="One family.", notes=[], families=[])
    assert page.index("Terms on this page") < page.index("<footer>") and "<dt>family</dt>" in page
    assert "<dt>critic" not in page
