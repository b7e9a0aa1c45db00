"""Who the demo's business is, who works there, and who owes it money. All names are invented."""

from dataclasses import dataclass

from payorcrm.merchants.models import Role

SLUG = "alder-finch"
NAME = "Alder & Finch Wholesale"
TIME_ZONE = "America/New_York"
ACCENT = "#1d6b52"
ADDRESS = "2200 Millrace Road\nEasthaven, NY 10099"
PHONE = "(212) 555-0142"
REPLY_TO = "billing@alderfinch.example"

# Good for a demo on one's own machine only, which is why `load` refuses to run anywhere else.
PASSWORD = "try-it-out-2026"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who works for the merchant."""

    role: Role
    name: str
    email: str


STAFF = (
    Colleague(Role.OWNER, "Wren Alder", "wren@alderfinch.example"),
    Colleague(Role.COLLECTOR, "Tomas Finch", "tomas@alderfinch.example"),
    Colleague(Role.VIEWER, "Ines Quill", "ines@alderfinch.example"),
)


@dataclass(frozen=True, slots=True)
class Company:
    """One customer and its primary contact; without a domain its address is not known."""

    name: str
    domain: str
    first_name: str
    last_name: str
    category: str

    @property
    def email(self) -> str:
        """Return the contact's address; empty when it is not known."""
        local = self.first_name.lower().replace("ü", "ue")
        return f"{local}@{self.domain}.example" if self.domain else ""


PLAYED = Company("Juniper Street Kitchen", "juniperstreet", "Jo", "Marlowe", "Restaurants")

COMPANIES = (
    PLAYED,
    Company("Copperleaf Bakehouse", "copperleaf", "Nadia", "Voss", "Restaurants"),
    Company("Blue Heron Outfitters", "blueheronoutfitters", "Caleb", "Strand", "Retail"),
    Company("O'Hallaran & Daughters", "ohallaran", "Maeve", "O'Hallaran", "Retail"),
    Company('The "Little" Print Room, Ltd.', "littleprintroom", "Priya", "Natt", "Offices"),
    Company("Bäckerei Zürnhoff", "zuernhoff", "Jürgen", "Zürnhoff", "Restaurants"),
    Company("Tidewater Dental Group", "tidewaterdental", "Simone", "Abara", "Offices"),
    Company("Northgate Community School", "northgateschool", "Harriet", "Lund", "Schools"),
    Company("🌵 Cactus & Co.", "cactusandco", "Rafael", "Ibarrola", "Retail"),
    Company("Lantern Hill Inn", "lanternhillinn", "Odette", "Farrow", "Hospitality"),
    Company("Marrow & Stone Masonry", "marrowstone", "Desmond", "Pike", "Trades"),
    Company("Quayside Fish Market", "quaysidefish", "Bram", "Holloway", "Restaurants"),
    Company("Smørhus ApS", "smoerhus", "Signe", "Ravnsborg", "Restaurants"),
    Company("Fernwood Veterinary Clinic", "fernwoodvet", "Leah", "Castellan", "Offices"),
    Company("Twelve Acre Farm Shop", "twelveacre", "Gideon", "Marsh", "Retail"),
    Company("Halcyon Yoga Collective", "halcyonyoga", "Amara", "Sloane", "Hospitality"),
    Company("Redwick Hardware", "redwickhardware", "Otis", "Redwick", "Trades"),
    Company("Café Étoile Filante", "etoilefilante", "Benoit", "Larsan", "Restaurants"),
    Company("Pemberley Stationers", "pemberleystationers", "Clara", "Winslet", "Retail"),
    Company("Sixpenny Toys <Wholesale>", "sixpennytoys", "Felix", "Arden", "Retail"),
    Company("Brightmoor Academy", "brightmoor", "Joan", "Tully", "Schools"),
    Company("Harrow Lane Plumbing", "harrowlane", "Vic", "Dunmore", "Trades"),
    Company("Sunday Market Florists", "sundayflorists", "Iris", "Penhale", "Retail"),
    Company("Old Foundry Brewing", "oldfoundrybrewing", "Hank", "Molloy", "Restaurants"),
    Company("Meridian Point Hotel", "meridianpoint", "Celeste", "Okoro", "Hospitality"),
    Company("Kestrel Property Services", "kestrelproperty", "Dana", "Whitlock", "Offices"),
    Company("Little Otters Nursery", "littleotters", "Fern", "Gallagher", "Schools"),
    Company("Vale & Thorn Interiors", "valethorn", "Sebastian", "Vale", "Trades"),
    Company("Paper Crane Noodle Bar", "papercrane", "Mika", "Tanabe", "Restaurants"),
    Company("Grisham's Garage", "grishamsgarage", "Lou", "Grisham", "Trades"),
    Company("Windrow Cycles", "windrowcycles", "Asher", "Nye", "Retail"),
    Company("St. Alban's Reading Room", "stalbansreading", "Edith", "Crane", "Schools"),
    Company("Moss & Ember Campground", "mossember", "Tess", "Holbrook", "Hospitality"),
    Company("Larkrise Catering", "larkrisecatering", "Ivo", "Benedek", "Restaurants"),
    Company("Ninebark Landscaping", "ninebark", "Cora", "Delgrove", "Trades"),
    Company("Harborlight Optics", "harborlightoptics", "Noel", "Ashby", "Offices"),
    Company("Salt Road Trading Post", "saltroad", "June", "Calloway", "Retail"),
    Company("Ashgrove Theatre Society", "ashgrovetheatre", "Rupert", "Lane", "Hospitality"),
    Company("Bellwether Accounting", "bellwetheraccounting", "Greta", "Sommer", "Offices"),
    Company("Pine Hollow General Store", "", "Walt", "Emery", "Retail"),
)

# One customer asked not to be reminded, one unsubscribed from a mail, and the last one has no address at all.
NOT_REMINDED = "Grisham's Garage"
UNSUBSCRIBED = "Windrow Cycles"


def customer_number(place: int) -> str:
    """Return the number of the company at a place in the list."""
    return f"C-{1001 + place}"


PLAYED_NUMBER = customer_number(0)
# The customer whose invitation to the portal is in the mailbox from the beginning.
INVITED_NUMBER = customer_number(1)
