"""The processor's pages in Spanish: complete, asked for by the address or by the browser, English otherwise."""

import ast
import json
import re
from pathlib import Path

import pytest
import urllib3

from payorcrm.gateways.base import MethodKind
from payorcrm.gateways.sandbox.processor import languages, pages, read_entry
from payorcrm.gateways.sandbox.processor.languages import SCRIPT_WORDS, said
from payorcrm.gateways.sandbox.processor.test_numbers import BANK_ACCOUNTS, CARDS
from tests.gateways.kit import request_for
from tests.gateways.sandbox.kit import CARD, RETURN_URL, SandboxKit, post_form

FOLDER = Path(languages.__file__).parent
SPANISH = json.loads((FOLDER / "words" / "es.json").read_text("utf-8"))
SAID = re.compile(r"said\(([^()]*?)\)")
TEXT = re.compile(r'"([^"]+)"')


def texts_of_templates() -> set[str]:
    calls = [call for path in (FOLDER / "templates").glob("*.html") for call in SAID.findall(path.read_text())]
    texts = {text for call in calls for text in TEXT.findall(call)}
    return texts - {"card", "declined"}


def sentences_of(module: object) -> set[str]:
    """Return the texts of a module's code that end in a full stop; its docstrings do not count."""
    tree = ast.parse(Path(str(module.__file__)).read_text())  # type: ignore[attr-defined]
    documented = [node for node in ast.walk(tree) if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))]
    documented += [node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)]
    docstrings = {ast.get_docstring(node, clean=False) for node in documented}
    constants = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return {text for text in constants - docstrings if isinstance(text, str) and text.endswith(".")} - {"."}


def test_every_text_has_a_translation() -> None:
    numbers = {each.meaning for each in (*CARDS, *BANK_ACCOUNTS)}
    complaints = sentences_of(read_entry) | sentences_of(pages)
    cvc = {f"The security code has {digits} digits." for digits in (3, 4)}
    labels = {"Expiry date", "Account holder", "Enter your card", "Enter your bank account", "Card", "Bank account"}

    wanted = texts_of_templates() | numbers | set(SCRIPT_WORDS) | complaints - {" digits."} | cvc | labels

    assert len(complaints) > 15
    assert len(texts_of_templates()) > 30
    assert sorted(wanted - set(SPANISH)) == []


def test_no_translation_is_left_over_or_lost_a_gap() -> None:
    code = "".join(path.read_text() for path in [*FOLDER.glob("*.py"), *(FOLDER / "templates").glob("*.html")])
    gaps = {text for text in SPANISH if text.count("%s") != SPANISH[text].count("%s")}

    unused = {text for text in SPANISH if text not in code and json.dumps(text) not in code}

    assert gaps == set()
    assert unused == {f"The security code has {digits} digits." for digits in (3, 4)}


def get(url: str, accepted: str = "") -> str:
    return urllib3.request("GET", url, headers={"Accept-Language": accepted}).data.decode()


def test_address_chooses_the_language_and_then_the_browser(sandbox_kit: SandboxKit) -> None:
    hosted = sandbox_kit.hosted_url()

    assert "Ingrese su tarjeta" in get(f"{hosted}&lang=es", "en")
    assert "Ingrese su tarjeta" in get(hosted, "fr, es-MX;q=0.8, en;q=0.5")
    assert "Enter your card" in get(f"{hosted}&lang=en", "es")
    assert '<html lang="en" dir="ltr">' in get(f"{hosted}&lang=xx")


@pytest.mark.parametrize("kind", list(MethodKind))
def test_gateway_passes_the_language_on(sandbox_kit: SandboxKit, kind: MethodKind) -> None:
    origin = sandbox_kit.settings.PUBLIC_URL
    session = sandbox_kit.gateway.start_saving_method(kind, return_url=RETURN_URL, parent_origin=origin, language="es")

    for url in (session.fields_url, session.hosted_url):
        assert '<html lang="es" dir="ltr">' in get(url)


def test_complaints_come_in_spanish(sandbox_kit: SandboxKit) -> None:
    hosted = f"{sandbox_kit.hosted_url()}&lang=es"
    fields = hosted.replace("/hosted/", "/fields/")

    shown = post_form(hosted, CARD | {"expiry": "01 / 20"}).data.decode()
    told = post_form(fields, CARD | {"cvc": "12"}).json()["complaints"]

    assert "Esta tarjeta está vencida." in shown
    assert "Error: Ingrese su tarjeta" in shown
    assert told == {"cvc": "El código de seguridad tiene 3 dígitos."}


def test_second_step_speaks_the_browsers_language(sandbox_kit: SandboxKit) -> None:
    asked = sandbox_kit.gateway.charge(request_for(sandbox_kit.method(MethodKind.CARD, "asks"), "1150.00"))

    page = get(asked.action_url, "es-US")

    assert "¿Este pago es suyo?" in page
    assert "$1,150.00" in page


def test_text_without_a_translation_stays_english() -> None:
    assert said("Something new", "es") == "Something new"
