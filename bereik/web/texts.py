"""Every word of the board that is not declared elsewhere, in Dutch and in English.

Names of signal types, purposes, states, results and priorities come from the bundle, in the same two languages.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from bereik.days import AMSTERDAM
from bereik.notices import TOLD

LANGUAGES = ("nl", "en")

_MONTHS: Mapping[str, tuple[str, ...]] = {
    "nl": (
        *("januari", "februari", "maart", "april", "mei", "juni"),
        *("juli", "augustus", "september", "oktober", "november", "december"),
    ),
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
}

# key: (Dutch, English)
TEXTS: Mapping[str, tuple[str, str]] = {
    # frame
    "product": ("Bereik", "Bereik"),
    "tagline": ("Op tijd naar mensen toe", "Reaching people in time"),
    "skip": ("Naar de inhoud", "Skip to content"),
    "nav.board": ("Mijn zaken", "My cases"),
    "nav.reviews": ("Eén persoon?", "One person?"),
    "nav.flows": ("Wie mag wie ontmoeten", "Who may meet whom"),
    "nav.label": ("Hoofdmenu", "Main menu"),
    "logout": ("Uitloggen", "Log out"),
    "language.other": ("English", "Nederlands"),
    "language.label": ("Toon deze pagina in het Engels", "Show this page in Dutch"),
    "footer": (
        "Elke beslissing noemt haar redenen en het regelpakket waarmee zij genomen is.",
        "Every decision names its reasons and the bundle of rules it was taken by.",
    ),
    "footer.fiction": ("Wie een zaak bekijkt, wordt vastgelegd.", "Who looks at a case is put on record."),
    # how a municipality reaches its residents; public
    "reach.title": ("Zo bereiken wij u", "How we reach you"),
    "reach.town": ("Gemeente {name}", "Municipality of {name}"),
    "reach.whom": ("Wie willen wij bereiken?", "Whom do we want to reach?"),
    "reach.how": ("Hoe doen wij dat?", "How do we do that?"),
    "reach.group": ("Wat er speelt", "What is going on"),
    "reach.ways": ("Wat wij doen", "What we do"),
    "reach.minimum": ("Dit doen wij ten minste", "This we do at least"),
    "reach.stop": ("Wanneer stoppen wij?", "When do we stop?"),
    "reach.call": (
        "Vragen? Of wilt u zelf hulp? Bel {phone}.",
        "Questions? Or do you want help? Call {phone}.",
    ),
    "reach.adopted": (
        "Vastgesteld door {by} op {on}. Wij kijken hier opnieuw naar op {review}.",
        "Adopted by {by} on {on}. We look at this again on {review}.",
    ),
    # login
    "login.title": ("Inloggen", "Log in"),
    "login.intro": (
        "Signalen worden zaken, en een zaak komt bij één team. Log in om die van uw team te zien.",
        "Signals become cases, and a case comes to one team. Log in to see those of your team.",
    ),
    "login.username": ("Gebruikersnaam", "Username"),
    "login.password": ("Wachtwoord", "Password"),
    "login.submit": ("Inloggen", "Log in"),
    "login.wrong": (
        "Deze gebruikersnaam en dit wachtwoord horen niet bij elkaar.",
        "This username and this password do not belong together.",
    ),
    "login.wait": (
        "Te vaak geprobeerd. Wacht {seconds} seconden en probeer het opnieuw.",
        "Tried too often. Wait {seconds} seconds and try again.",
    ),
    "login.oidc": (
        "Log in met het account van uw organisatie. U gaat even naar de inlogpagina daarvan.",
        "Log in with your organisation’s account. You go to its own log-in page for a moment.",
    ),
    "login.oidc.submit": ("Inloggen via uw organisatie", "Log in through your organisation"),
    "login.or": ("Of met een wachtwoord van dit bord", "Or with a password of this board"),
    "login.refused.away": (
        "De inlogdienst van uw organisatie antwoordt niet. Probeer het over een paar minuten opnieuw. Wie al is "
        "ingelogd, kan doorwerken.",
        "Your organisation’s log-in service does not answer. Try again in a few minutes. Who is logged in can "
        "work on.",
    ),
    "login.refused.state": (
        "Dit inloggen is niet in deze browser begonnen, of te lang geleden. Begin opnieuw.",
        "This log in did not begin in this browser, or too long ago. Begin again.",
    ),
    "login.refused.denied": (
        "De inlogdienst heeft u niet binnengelaten. Probeer het opnieuw of vraag uw beheerder.",
        "The log-in service did not let you in. Try again or ask your administrator.",
    ),
    "login.refused.code": (
        "De inlogdienst gaf geen bewijs wie u bent. Begin opnieuw. Lukt het weer niet, waarschuw dan de beheerder.",
        "The log-in service gave no proof of who you are. Begin again. If it fails again, tell the administrator.",
    ),
    "login.refused.token": (
        "Het bewijs van de inlogdienst klopt niet. U bent niet ingelogd. Waarschuw de beheerder.",
        "The log-in service’s proof does not hold. You are not logged in. Tell the administrator.",
    ),
    "login.refused.strength": (
        "Log in met een tweede stap, zoals een code op uw telefoon. Zonder die stap komt u hier niet binnen.",
        "Log in with a second step, such as a code on your telephone. Without it you cannot come in here.",
    ),
    "login.refused.account": (
        "U bent bekend bij uw organisatie, maar hebt hier geen account. Geef deze naam aan de beheerder: {name}",
        "Your organisation knows you, but you have no account here. Give this name to the administrator: {name}",
    ),
    "logout.elsewhere": (
        "U bent hier uitgelogd. Nu nog bij uw organisatie.",
        "You are logged out here. Now at your organisation too.",
    ),
    "onward.go": ("Ga verder", "Go on"),
    "login.point.own.title": ("Alleen uw eigen zaken", "Only your own cases"),
    "login.point.own": (
        "De database zelf laat geen zaak van een ander team zien.",
        "The database itself shows no case of another team.",
    ),
    "login.point.why.title": ("Waarom hier, waarom nu", "Why here, why now"),
    "login.point.why": (
        "Bij elke zaak staat in gewone taal waarom zij bij u ligt.",
        "Every case says in plain words why it is with you.",
    ),
    "login.point.purpose.title": ("Doelen blijven gescheiden", "Purposes stay apart"),
    "login.point.purpose": (
        "Zaken uit verschillende wetten raken elkaar alleen over een brug met een grond.",
        "Cases under different laws touch only over a bridge that has a ground.",
    ),
    # board
    "board.title": ("Mijn zaken", "My cases"),
    "board.morning": ("Goedemorgen", "Good morning"),
    "board.afternoon": ("Goedemiddag", "Good afternoon"),
    "board.evening": ("Goedenavond", "Good evening"),
    "board.month": ("Maand", "Month"),
    "board.months.all": ("Alle maanden", "All months"),
    "board.total.cases": ("zaken", "cases"),
    "board.total.case": ("zaak", "case"),
    "board.total.crisis": ("crisis", "crisis"),
    "board.total.soon": ("binnen 7 dagen", "within 7 days"),
    "board.total.overdue": ("over de termijn", "past the term"),
    "board.filter.status": ("Stand", "State"),
    "board.filter.kind": ("Soort zaak", "Kind of case"),
    "board.filter.all": ("alle", "all"),
    "board.filter.apply": ("Toon", "Show"),
    "board.filter.clear": ("Wis filters", "Clear filters"),
    "board.filter.todo": ("te doen", "to do"),
    "board.filter.crisis": ("alleen crisis", "crisis only"),
    "board.filter.due": ("uiterlijk binnen 7 dagen of te laat", "due within 7 days or late"),
    "board.filter.active": ("Gefilterd op", "Filtered by"),
    "board.order": (
        "Dringendste eerst: voorrang, dan de dag waarop het uiterlijk moet.",
        "Most urgent first: priority, then the day it is due.",
    ),
    "board.col.case": ("Zaak", "Case"),
    "board.col.signals": ("Signalen", "Signals"),
    "board.col.why": ("Waarom hier", "Why here"),
    "board.col.received": ("Ontvangen", "Received"),
    "board.col.due": ("Uiterlijk", "Due"),
    "board.open": ("Open zaak {reference}", "Open case {reference}"),
    "board.page": ("Pagina {page} van {pages}", "Page {page} of {pages}"),
    "board.previous": ("Vorige", "Previous"),
    "board.next": ("Volgende", "Next"),
    "board.empty.filtered.title": ("Geen zaken bij deze keuze", "No cases for this choice"),
    "board.empty.filtered": (
        "Er zijn wel andere zaken van uw team. Kies een andere maand of wis de filters.",
        "Your team has other cases. Choose another month or clear the filters.",
    ),
    "board.empty.title": ("Nog geen zaken voor uw team", "No cases for your team yet"),
    "board.empty": (
        "Zodra een signaal tot een zaak leidt die bij uw team hoort, staat zij hier. U hoeft niets te doen.",
        "As soon as a signal leads to a case for your team, it appears here. There is nothing you "
        "need to do.",
    ),
    "board.empty.done.title": ("Er is niets te doen", "There is nothing to do"),
    "board.empty.done": (
        "Uw team heeft zaken gehad, en geen daarvan vraagt nu iets.",
        "Your team has had cases, and none of them asks for anything now.",
    ),
    "board.empty.done.all": ("Toon alle zaken", "Show all cases"),
    "board.noteam.title": ("Dit account ziet geen zaken", "This account sees no cases"),
    "board.noteam": (
        "U bent van geen team lid. Vraag de beheerder u bij een team te zetten.",
        "You are a member of no team. Ask the operator to add you to one.",
    ),
    "board.noteam.flows": (
        "Dit account ziet aantallen, geen zaken. Die staan op de pagina ‘Wie mag wie ontmoeten’.",
        "This account sees counts, not cases. Those are on the page “Who may meet whom”.",
    ),
    "kind.single": ("enkelvoudig", "single"),
    "kind.multiple": ("meervoudig", "multiple"),
    "kind.consecutive": ("opeenvolgend", "consecutive"),
    "kind.single.hint": (
        "één signaal, niets in de periode ervoor",
        "one signal, nothing in the period before",
    ),
    "kind.multiple.hint": (
        "twee of meer signalen in dezelfde periode",
        "two or more signals in the same period",
    ),
    "kind.consecutive.hint": (
        "er was in de maanden ervoor al een signaal",
        "there was a signal in the months before",
    ),
    "badge.crisis": ("crisis", "crisis"),
    "badge.warm": ("warme overdracht", "warm hand-over"),
    "badge.family": ("gezin", "family"),
    "badge.withdrawn": ("ingetrokken", "withdrawn"),
    "due.today": ("vandaag", "today"),
    "due.tomorrow": ("morgen", "tomorrow"),
    "due.in": ("nog {days} dagen", "{days} days left"),
    "due.late.one": ("1 dag te laat", "1 day late"),
    "due.late": ("{days} dagen te laat", "{days} days late"),
    "due.done": ("afgehandeld", "handled"),
    # case
    "case.title": ("Zaak {reference}", "Case {reference}"),
    "case.back": ("Terug naar mijn zaken", "Back to my cases"),
    "case.status": ("Stand", "State"),
    "case.team": ("Team", "Team"),
    "case.received": ("Ontvangen", "Received"),
    "case.first": ("Eerste signaal", "First signal"),
    "case.due": ("Uiterlijk", "Due"),
    "case.purpose": ("Doel", "Purpose"),
    "case.why": ("Waarom deze zaak er is", "Why this case exists"),
    "case.why.none": (
        "Bij deze beslissing zijn geen redenen vastgelegd.",
        "No reasons were recorded with this decision.",
    ),
    "case.signals": ("De signalen", "The signals"),
    "case.holders": (
        "Op dit adres zijn {count} contracthouders gemeld. Dat er meer signalen zijn, telt voor het adres; wat erin staat, blijft"
        " per persoon tot een medewerker bevestigt dat zij bij elkaar horen.",
        "{count} contract holders are signalled at this address. That there are several signals counts for the address; what they"
        " say stays with each person until a worker confirms that they belong together.",
    ),
    "case.holder": ("Contracthouder {number} ({signals})", "Contract holder {number} ({signals})"),
    "case.holder.related": ("Huishouden {number} ({signals})", "Household {number} ({signals})"),
    "case.signals.none": ("Er staan geen signalen meer bij deze zaak.", "This case has no signals any more."),
    "case.signals.type": ("Signaal", "Signal"),
    "case.signals.partner": ("Van", "From"),
    "case.signals.date": ("Datum signaal", "Date of signal"),
    "case.signals.since": ("Sinds", "Since"),
    "case.signals.amount": ("Bedrag", "Amount"),
    "case.signals.total": ("Samen", "Together"),
    "case.signals.doubt": ("Mogelijk iemand die al bekend is", "Possibly somebody who is known already"),
    "case.signals.resembles": ("zie deze zaak", "see this case"),
    "case.signals.review": ("vergelijk en beslis", "compare and decide"),
    "case.signals.identity": (
        "Namen en adressen staan in de kluis, niet op dit bord.",
        "Names and addresses are in the vault, not on this board.",
    ),
    "case.us": ("Waarom bij ons", "Why with us"),
    "case.us.path": (
        "Deze stappen van de routeregels leidden naar {team}:",
        "These steps of the routing rules led to {team}:",
    ),
    "case.us.root": (
        "Geen bijzondere routeregel paste. Dan komt een zaak bij {team}, dat kijkt waar zij hoort.",
        "No particular routing rule matched. Then a case comes to {team}, who look where it belongs.",
    ),
    "case.now": ("Waarom nu", "Why now"),
    "case.now.crisis": (
        "Bij een crisis zoekt het team binnen {within} contact.",
        "In a crisis the team makes contact within {within}.",
    ),
    "case.now.offer": (
        "Binnen {within} na ontvangst ligt er een eerste aanbod.",
        "Within {within} of receipt a first offer is made.",
    ),
    "case.now.plain": (
        "Binnen {within} na ontvangst is er contact gezocht.",
        "Within {within} of receipt contact is sought.",
    ),
    "case.now.due": ("Uiterlijk {date}", "Due {date}"),
    "case.now.priority": ("Voorrang {level}", "Priority {level}"),
    "plan.title": ("Contact", "Contact"),
    "plan.plan": ("Plan: {plan}.", "Plan: {plan}."),
    "plan.lightened": (
        "Het team is vol. Daarom krijgt deze zaak het lichtere plan.",
        "The team is full. So this case has the lighter plan.",
    ),
    "plan.holder": ("Opgepakt door {holder} op {date}.", "Taken up by {holder} on {date}."),
    "plan.nobody": ("Nog niemand pakte deze zaak op.", "Nobody has taken this case up yet."),
    "plan.reached": (
        "Er was contact. Meer pogingen zijn niet nodig.",
        "There was contact. No more attempts are needed.",
    ),
    "plan.met": ("Er is genoeg geprobeerd.", "Enough was tried."),
    "plan.missing": (
        "Voor “genoeg geprobeerd” ontbreekt nog: {missing}.",
        "For “enough was tried” is still missing: {missing}.",
    ),
    "plan.missing.attempts": ("aantal pogingen: {number}", "attempts: {number}"),
    "plan.missing.channels": ("andere manieren: {number}", "other ways: {number}"),
    "plan.missing.dayparts": ("andere dagdelen: {number}", "other parts of the day: {number}"),
    "plan.state.done": ("gedaan op {date}", "done on {date}"),
    "plan.state.next": ("nu, uiterlijk {date}", "next, by {date}"),
    "plan.state.overdue": ("te laat, dit moest uiterlijk {date}", "late, this was due {date}"),
    "plan.state.later": ("later, uiterlijk {date}", "later, by {date}"),
    "plan.state.spared": (
        "overgeslagen: dit adres kreeg deze maand al een brief",
        "left out: this address got a letter within a month",
    ),
    "plan.state.not_needed": ("niet meer nodig", "no longer needed"),
    "plan.promises": ("Beloofd aan de inwoner", "Promised to the resident"),
    "plan.promise": ("{what}, uiterlijk {by}", "{what}, by {by}"),
    "plan.promise.open": ("loopt", "open"),
    "plan.promise.kept": ("nagekomen", "kept"),
    "plan.promise.broken": ("niet nagekomen", "broken"),
    "plan.next": ("Nu: {what}, uiterlijk {day}", "Next: {what}, by {day}"),
    "case.told": ("Wanneer het team het hoorde", "When the team was told"),
    "case.told.none": (
        "Over deze zaak is nog niemand verwittigd.",
        "Nobody has been told about this case yet.",
    ),
    "case.told.by": ("via {outlet}", "by {outlet}"),
    "case.bundle": ("Regelpakket", "Bundle of rules"),
    "case.decided": ("Besloten op", "Decided on"),
    "case.version": ("Versie {version} van deze zaak", "Version {version} of this case"),
    "case.explain": ("Narekenen op de opdrachtregel", "Verify on the command line"),
    "case.proof": ("Waar dit op rust", "What this rests on"),
    "fact.crisis": ("crisis", "crisis"),
    "fact.warm": ("de partner sprak al met deze persoon", "the partner has already spoken with this person"),
    # consent that a partner reported
    "announced.title": ("Een partner meldt toestemming", "A partner reports consent"),
    "announced.told": (
        "Volgens de partner tekende de {who} formulier {form} (gemeld op {date}). Vraag het na in een gesprek.",
        "According to the partner the {who} signed form {form} (reported on {date}). Ask about it in a conversation.",
    ),
    "announced.confirm": (
        "Ja, dit is in een gesprek bevestigd",
        "Yes, this was confirmed in a conversation",
    ),
    "announced.confirmed": ("Vastgelegd.", "Taken down."),
    "announced.rule": (
        "Tot dan wordt niets opgezocht en hoort niemand anders er iets van.",
        "Until then nothing is looked up, and nobody else hears of it.",
    ),
    # bridge
    "bridge.title": ("Gezin: een brug met een ander doel", "Family: a bridge with another purpose"),
    "bridge.intro": (
        "Dit gezin heeft ook met een ander team te maken. Alleen wat hieronder staat komt over de "
        "brug, en niets anders.",
        "Another team works with this family too. Only what stands below crosses the bridge, and "
        "nothing else.",
    ),
    "bridge.what": ("Wat u hierdoor weet", "What this lets you know"),
    "bridge.nothing": (
        "Er komt niets anders over dan dat de brug er is.",
        "Nothing crosses but that the bridge is there.",
    ),
    "bridge.ground": ("Grond", "Ground"),
    "bridge.ground.consent": ("Toestemming van wie het aangaat", "Consent of those concerned"),
    "bridge.ground.statute": ("Wettelijke grond van de gemeente", "Statutory ground of the municipality"),
    "bridge.since": ("Open sinds", "Open since"),
    "bridge.rule": (
        "Bedragen, partners en aantekeningen gaan nooit over een brug. Wat u hier leest telt niet mee"
        " voor voorrang en mag niet tegen het gezin gebruikt worden.",
        "Amounts, partners and notes never cross a bridge. What you read here does not count for "
        "priority and may not be used against the family.",
    ),
    "bridge.ended": (
        "De brug van dit gezin is op {date} geëindigd. Er komt niets meer over.",
        "The bridge of this family ended on {date}. Nothing crosses any more.",
    ),
    "bridge.any": ("ja", "yes"),
    "bridge.field.present": ("Er loopt ook iets bij {other}", "There is also something with {other}"),
    "bridge.field.since": ("Sinds", "Since"),
    "bridge.field.contact": ("Contactpersoon", "Contact person"),
    "bridge.field.help_involved": ("Er is hulp betrokken", "Help is involved"),
    # flows
    "flows.title": ("Wie mag wie ontmoeten", "Who may meet whom"),
    "flows.intro": (
        "Van elk soort signaal: wat de poort antwoordde en op welke grond, in welke zaken het kwam, "
        "en bij welk team. Signalen ontmoeten elkaar alleen binnen een doel. Tussen doelen ligt "
        "hooguit een brug.",
        "For every type of signal: what the gate answered and on which ground, which cases it came "
        "into, and with which team. Signals meet only within a purpose. Between purposes there is at "
        "most a bridge.",
    ),
    "flows.use": (
        "Klik op een stroom voor de zaken erachter. U ziet daarvan alleen die van uw eigen teams.",
        "Click a flow for the cases behind it. Of those you see only the ones of your own teams.",
    ),
    "flows.municipality": ("Gemeente", "Municipality"),
    "flows.municipality.all": ("alle gemeenten", "all municipalities"),
    "flows.col.type": ("Signaal", "Signal"),
    "flows.col.gate": ("Poort", "Gate"),
    "flows.col.case": ("Zaak", "Case"),
    "flows.col.team": ("Team", "Team"),
    "flows.gate.allowed": ("toegelaten", "allowed"),
    "flows.gate.refused": ("geweigerd", "refused"),
    "flows.gate.unconfigured": ("niet ingericht", "unconfigured"),
    "flows.gate.unread": ("niet volgens contract", "not per contract"),
    "flows.gate.duplicate": ("al ontvangen", "received before"),
    "flows.node.signals": ("{count} signalen", "{count} signals"),
    "flows.node.signal": ("1 signaal", "1 signal"),
    "flows.node.cases": ("{count} zaken", "{count} cases"),
    "flows.node.case": ("1 zaak", "1 case"),
    "flows.link": ("{source} → {target}: {count}", "{source} → {target}: {count}"),
    "flows.apart": ("geen brug: deze gegevens ontmoeten elkaar niet", "no bridge: these data do not meet"),
    "flows.bridge": ("brug", "bridge"),
    "flows.bridge.consent": (
        "met toestemming, vastgelegd op formulier {forms}",
        "by consent, recorded on form {forms}",
    ),
    "flows.bridge.statute": ("in {municipality}: {article}", "in {municipality}: {article}"),
    "flows.description": (
        "Elk doel is een vak. Binnen een vak lopen stromen van soort signaal naar poort, zaak en "
        "team. Dezelfde aantallen staan in de tabellen eronder.",
        "Every purpose is a box. Within a box flows run from type of signal to gate, case and team. "
        "The same counts are in the tables below.",
    ),
    "flows.table.gate": ("Wat de poort antwoordde", "What the gate answered"),
    "flows.table.cases": ("In welke zaken, bij welk team", "In which cases, with which team"),
    "flows.table.bridges": ("Bruggen tussen doelen", "Bridges between purposes"),
    "flows.table.answer": ("Antwoord", "Answer"),
    "flows.table.ground": ("Grond of reden", "Ground or reason"),
    "flows.table.count": ("Aantal", "Count"),
    "flows.table.signals": ("Signalen", "Signals"),
    "flows.table.casecount": ("Zaken", "Cases"),
    "flows.table.kind": ("Soort zaak", "Kind of case"),
    "flows.table.show": ("Toon zaken", "Show cases"),
    "flows.table.crosses": ("Wat {purpose} te zien krijgt", "What {purpose} is shown"),
    "flows.table.grounds": ("Gronden", "Grounds"),
    "flows.table.withdrawn": ("intrekking", "withdrawal"),
    "flows.table.corrected": ("correctie", "correction"),
    "flows.unknown": ("onbekend soort bericht", "unknown kind of message"),
    "flows.outside": ("Niet aan een doel te koppelen", "Not to be tied to a purpose"),
    "flows.outside.detail": (
        "Deze berichten zijn nergens voor gebruikt.",
        "These messages were used for nothing.",
    ),
    "flows.steps": ("vooraf gedaan", "done before"),
    "flows.minimum": ("vanaf € {amount} ({article})", "from € {amount} ({article})"),
    "flows.empty.title": ("Nog geen signalen", "No signals yet"),
    "flows.empty": (
        "Zodra partners signalen sturen, staan hier de stromen.",
        "As soon as partners send signals, the flows appear here.",
    ),
    "board.told": ("Gemeld aan de leiding, laatste 7 dagen", "Told to the manager, last 7 days"),
    "board.told.line": (
        "{what}: {people}, vanaf zaak {reference}",
        "{what}: {people}, from case {reference} on",
    ),
    "board.told.person": ("1 persoon", "1 person"),
    "board.told.people": ("{people} mensen", "{people} people"),
    # labels of the route rules
    "label.area": ("gebied", "area"),
    "label.type": ("soort signaal", "type of signal"),
    "label.kind": ("soort zaak", "kind of case"),
    "label.crisis": ("crisis", "crisis"),
    "label.warm": ("warme overdracht", "warm hand-over"),
    "label.repeat": ("herhaalde melding", "repeat report"),
    "label.language": ("taal waar de inwoner om vroeg", "language that the resident asked for"),
    "yes": ("ja", "yes"),
    "no": ("nee", "no"),
    "or": ("of", "or"),
    # why a team was told
    # why the gate refused; the partner hears the full words, this is the heading of a count
    "reason.no_agreement": ("geen grondslag geregistreerd", "no ground registered"),
    "reason.no_agreement_here": ("geen afspraak met deze gemeente", "no agreement with this municipality"),
    "reason.not_designated": ("soort partner niet aangewezen", "kind of partner not designated"),
    "reason.outside_municipalities": (
        "adres buiten de aangesloten gemeenten",
        "address outside these municipalities",
    ),
    "reason.municipality_disagrees": (
        "gemeentecode past niet bij adres",
        "municipality code does not fit the address",
    ),
    "reason.municipality_mismatch": (
        "gemeentecode past niet bij adres",
        "municipality code does not fit the address",
    ),
    "reason.agreement_not_in_force": ("afspraak niet van kracht", "agreement not in force"),
    "reason.step_not_attested": ("stap vooraf niet bevestigd", "prior step not attested"),
    "reason.step_denied": ("stap vooraf niet gezet", "prior step not taken"),
    "reason.below_minimum": ("onder het minimum voor melden", "below the minimum for reporting"),
    "reason.forbidden_field": ("verboden veld meegestuurd", "a forbidden field was sent"),
    "reason.source_not_yours": ("afzender hoort niet bij deze partner", "source is not this partner’s"),
    "reason.unknown_type": ("onbekend soort bericht", "unknown kind of message"),
    "reason.unknown_version": ("onbekende hoofdversie", "unknown major version"),
    "reason.unknown_partner": ("onbekende partner", "unknown partner"),
    "reason.already_received": ("al eerder ontvangen", "received before"),
    "reason.id_reuse": ("zelfde kenmerk, andere inhoud", "same id, other content"),
    "reason.original_unknown": ("signaal waar dit over gaat onbekend", "the signal this is about is unknown"),
    "reason.original_withdrawn": ("te corrigeren signaal was ingetrokken", "signal to correct was withdrawn"),
    "reason.original_gone": ("te corrigeren signaal niet meer bewaard", "signal to correct no longer kept"),
    "reason.already_withdrawn": ("al eerder ingetrokken", "withdrawn before"),
    "reason.nothing_corrected": ("correctie zonder inhoud", "correction of nothing"),
    "reason.our_fault": ("fout bij ons, terzijde gelegd", "our fault, set aside"),
    "outlet.board": ("het bord", "the board"),
    "outlet.email": ("e-mail", "e-mail"),
    "outlet.webhook": ("webhook", "webhook"),
    # errors
    "error.404.title": ("Niet gevonden", "Not found"),
    "error.404": (
        "Deze pagina of zaak is er niet, of hoort niet bij uw team.",
        "This page or case does not exist, or is not your team’s.",
    ),
    # what forms ask for
    "errand.waits": (
        "Wordt verwerkt. Deze bladzijde kijkt vanzelf opnieuw.",
        "Being done. This page looks again by itself.",
    ),
    "errand.stands_still": (
        "Nog niet verwerkt. Uw antwoord is bewaard; duurt het langer, meld het de beheerder.",
        "Not done yet. Your answer is kept; if it takes longer, tell the operator.",
    ),
    "errand.NothingHeld": ("Een ander was u voor.", "Somebody else was first."),
    "errand.NothingLeft": (
        "Overnemen kan niet meer: de partner trok alle signalen in. Wijs de zaak af.",
        "It cannot be taken over any more: the partner took every signal back. Decline the case.",
    ),
    "errand.IllegalMove": (
        "Dat kan niet bij de stand van deze zaak.",
        "That cannot be stated of this case as it stands.",
    ),
    "errand.Fault": (
        "Het lukte niet door een fout van ons. Er is niets veranderd; meld het de beheerder.",
        "It failed by a fault of ours. Nothing was changed; tell the operator.",
    ),
    # offers
    "board.total.offer": ("verhuisde zaak wacht op antwoord", "moved case waits for an answer"),
    "board.total.offers": ("verhuisde zaken wachten op antwoord", "moved cases wait for an answer"),
    "offers.title": ("Verhuisd naar uw gemeente", "Moved to your municipality"),
    "offers.intro": (
        "Een andere gemeente hielp deze mensen, en zij verhuisden hierheen. Neemt u de zaak over, dan gaat zij hier door. De"
        " termijn loopt door vanaf de eerste melding.",
        "Another municipality was reaching out to these people, and they moved here. When you take a case over it goes on"
        " here. The term runs on from the first report.",
    ),
    "offers.case": ("Zaak daar", "Case there"),
    "offers.from": ("Uit", "From"),
    "offers.since": ("Aangeboden op", "Offered on"),
    "offers.answer": ("Uw antwoord", "Your answer"),
    "offers.accept": ("Neem over", "Take over"),
    "offers.decline": ("Neem niet over", "Do not take over"),
    "offers.accepted": (
        "{reference}: overgenomen op {date}. De zaak staat nu bij het team waar zij hoort.",
        "{reference}: taken over on {date}. The case is now with the team it belongs to.",
    ),
    "offers.declined": (
        "{reference}: niet overgenomen op {date}. De andere gemeente weet het.",
        "{reference}: not taken over on {date}. The other municipality knows.",
    ),
    "offers.hint": (
        "Hier staat niet om wie het gaat. Bel de andere gemeente en noem de zaak.",
        "Who it is does not stand here. Call the other municipality and name the case.",
    ),
    "offers.none.title": ("Geen aanbod", "No offers"),
    "offers.none": ("Er wacht geen verhuisde zaak op u.", "No moved case waits for you."),
    # tray
    "board.total.doubts": ("uit te zoeken", "to sort out"),
    "tray.title": ("Uit te zoeken: woont deze persoon hier?", "To sort out: does this person live here?"),
    "tray.intro": (
        "Het bevolkingsregister (BRP) kent deze mensen niet zoals de partner ze meldde. De zaak blijft staan en de termijn"
        " loopt door. Iemand van uw team kijkt en beslist.",
        "The register of persons (BRP) does not know these people as the partner reported them. The case stands and its term"
        " runs on. Somebody of your team looks and decides.",
    ),
    "tray.answer": ("Wat het register zegt", "What the register says"),
    "tray.answer.deviating": ("Gevonden, met andere gegevens", "Found, with other data"),
    "tray.answer.not_found": ("Niemand gevonden, of meer dan één", "Nobody found, or more than one"),
    "tray.answer.in_onderzoek": (
        "Het register onderzoekt deze gegevens zelf",
        "The register looks into these data itself",
    ),
    "tray.since": ("sinds {date}", "since {date}"),
    "tray.held": (
        "Daarna meldde het register: {what}. Dat wacht op uw beslissing.",
        "Since then the register told: {what}. That waits for your decision.",
    ),
    "tray.held.nl.brp.verhuisd.intergemeentelijk": (
        "verhuisd naar een andere gemeente",
        "moved to another municipality",
    ),
    "tray.held.nl.brp.verhuisd.intragemeentelijk": (
        "verhuisd binnen de gemeente",
        "moved within the municipality",
    ),
    "tray.held.nl.brp.verhuisd.naar-buitenland": ("verhuisd naar het buitenland", "moved abroad"),
    "tray.held.nl.brp.overleden": ("overleden", "died"),
    "tray.held.nl.brp.verstrekkingsbeperking": (
        "geheimhouding van adres gewijzigd",
        "secrecy of address changed",
    ),
    "tray.asked": ("partner gevraagd", "partner asked"),
    "tray.fields": ("Wat verschilt", "What differs"),
    "tray.field.geslachtsnaam": ("achternaam", "surname"),
    "tray.field.voorletters": ("voorletters", "initials"),
    "tray.field.geboortedatum": ("geboortedatum", "birth date"),
    "tray.field.postcode": ("postcode", "postcode"),
    "tray.field.huisnummer": ("huisnummer", "house number"),
    "tray.field.huisnummertoevoeging": ("toevoeging", "house number addition"),
    "tray.field.verblijfplaats": ("woonplaats of overlijden", "residence or death"),
    "tray.decide": ("Bekijken en beslissen", "Look and decide"),
    "tray.choose": ("Kies wat u weet", "Choose what you know"),
    "tray.choose.for": ("Uw beslissing over {reference}", "Your decision about {reference}"),
    "tray.send": ("Leg vast", "Take down"),
    "tray.decided": (
        "{reference}: vastgelegd op {date}. {what}",
        "{reference}: taken down on {date}. {what}",
    ),
    "tray.choices": ("Wat u kunt kiezen", "What you can choose"),
    "tray.when": ("Wanneer", "When"),
    "tray.then": ("Wat er gebeurt", "What happens"),
    "tray.choice.register": (
        "Het is deze persoon. De partner heeft oude of verkeerde gegevens.",
        "It is this person. The partner’s data are old or misspelt.",
    ),
    "tray.then.register": (
        "Het burgerservicenummer blijft bij de zaak, verzegeld.",
        "The citizen service number stays with the case, sealed.",
    ),
    "tray.choice.partner": (
        "Het is deze persoon. Het register loopt achter.",
        "It is this person. The register is behind.",
    ),
    "tray.then.partner": (
        "Het gevonden nummer wordt vergeten. De zaak blijft staan.",
        "The number found is forgotten. The case stands.",
    ),
    "tray.choice.asked": ("U hebt het de partner gevraagd.", "You asked the partner."),
    "tray.then.asked": ("Het blijft op deze lijst.", "It stays on this list."),
    "tray.choice.other_person": (
        "Er woont iemand anders op dit adres.",
        "Somebody else lives at this address.",
    ),
    "tray.then.other_person": (
        "Het gevonden nummer wordt vergeten. De zaak blijft staan.",
        "The number found is forgotten. The case stands.",
    ),
    "tray.choice.no_resident": (
        "Het is geen inwoner van deze gemeente.",
        "It is no resident of this municipality.",
    ),
    "tray.then.no_resident": ("De zaak eindigt.", "The case ends."),
    "tray.hint": (
        "Hier staan geen gegevens van mensen: het bord kan ze niet openen. Wat de partner schreef en wat het register heeft, laat"
        " alleen het commando bij de zaak zien. Wie kijkt en wie beslist, wordt vastgelegd. Geen toegang tot het commando? Vraag"
        " de beheerder.",
        "No data of people stand here: the board cannot open them. Only the command beside the case shows what the partner wrote"
        " and what the register has. Who looks and who decides is put on record. No access to the command? Ask the operator.",
    ),
    "tray.none.title": ("Niets uit te zoeken", "Nothing to sort out"),
    "tray.none": (
        "Van iedereen in uw zaken die is nagevraagd, klopt de melding, of iemand heeft al beslist.",
        "Of everybody in your cases whom the register was asked about, the report fits, or somebody has decided.",
    ),
    # reviews
    "reviews.title": ("Is dit één persoon?", "Is this one person?"),
    "reviews.intro": (
        "Bij deze signalen was het niet zeker. Tot iemand beslist, blijven het twee mensen met elk een eigen zaak.",
        "About these signals it was not certain. Until somebody decides they stay two people, each with a case.",
    ),
    "reviews.question": ("Vraag", "Question"),
    "reviews.where": ("Doel en gemeente", "Purpose and municipality"),
    "reviews.since": ("Sinds", "Since"),
    "reviews.passed_on": ("iemand wist het niet", "somebody could not tell"),
    "reviews.none.title": ("Niets te beoordelen", "Nothing to review"),
    "reviews.none": ("Er wacht geen vraag op u.", "No question waits for you."),
    "reviews.figures": (
        "Hoe goed het vanzelf gaat (de laatste {days} dagen)",
        "How well it goes by itself (the last {days} days)",
    ),
    "reviews.links": ("Vanzelf gekoppeld", "Linked by itself"),
    "reviews.broken": ("Daarvan verbroken", "Of those broken"),
    "reviews.precision": ("Terecht gekoppeld", "Rightly linked (precision)"),
    "reviews.recall": ("Vanzelf gevonden", "Found by itself (recall)"),
    "reviews.answered": ("Eén / twee personen", "One person / two"),
    "reviews.load": ("Vragen per 1.000 signalen", "Questions per 1,000 signals"),
    "reviews.figures.hint": (
        "Terecht: koppelingen die niemand verbrak. Gevonden: van alle juiste koppelingen het deel zonder vraag. Dezelfde"
        " cijfers geeft `bereik linkage figures`.",
        "Rightly: links that nobody broke. Found: of all right links the share without a question. `bereik linkage figures`"
        " gives the same figures.",
    ),
    "review.title": ("Is dit één persoon?", "Is this one person?"),
    "review.back": ("Alle vragen", "All questions"),
    "review.intro": (
        "Twee partners schreven over iemand. Vergelijk wat zij schreven. Wie u hier ziet, en wanneer, wordt vastgelegd.",
        "Two partners wrote about somebody. Compare what they wrote. That you open this, and when, is put on record.",
    ),
    "review.caption": (
        "Wat verschilt, is vet, onderstreept en omlijnd. Hoofdletters tellen niet mee.",
        "What differs is bold, underlined and outlined. Capitals do not count.",
    ),
    "review.what": ("Gegeven", "Field"),
    "review.signal": ("Signaal {number}", "Signal {number}"),
    "review.received": ("ontvangen {date}", "received {date}"),
    "review.compared": ("Vergelijking", "Compared"),
    "review.same": ("gelijk", "same"),
    "review.different": ("verschilt", "differs"),
    "review.one_side": ("één kant onbekend", "one side unknown"),
    "review.unknown": ("onbekend", "unknown"),
    "review.question": ("Wat denkt u?", "What do you think?"),
    "review.hidden": (
        "Het gewicht dat Bereik zelf gaf, ziet u pas na uw antwoord: zo kijkt u zelf.",
        "You see the weight that Bereik gave after your answer only, so that you look for yourself.",
    ),
    "review.answer.same": ("Eén persoon", "One person"),
    "review.answer.different": ("Twee verschillende personen", "Two different people"),
    "review.answer.unknown": ("Ik weet het niet", "I do not know"),
    "review.answered.same": ("Beslist: één persoon", "Decided: one person"),
    "review.answered.different": ("Beslist: twee personen", "Decided: two people"),
    "review.answered.unknown": ("U wist het niet", "You did not know"),
    "review.then.same": (
        "De signalen staan nu bij één persoon. Terugdraaien kan: vraag de beheerder.",
        "The signals are with one person now. It can be taken back: ask the operator.",
    ),
    "review.then.different": (
        "Deze twee worden nooit vanzelf één persoon. Terugdraaien kan: vraag de beheerder.",
        "These two never become one person by themselves. It can be taken back: ask the operator.",
    ),
    "review.then.unknown": (
        "De vraag blijft open voor iemand anders. Het blijven twee mensen.",
        "The question stays open for somebody else. They stay two people.",
    ),
    "review.opposite": (
        "Over deze mensen is eerder het omgekeerde beslist. Er is niets veranderd; vraag de beheerder.",
        "The opposite was decided about these people before. Nothing was changed; ask the operator.",
    ),
    "review.why": ("Hoe Bereik het woog", "How Bereik weighed it"),
    "review.found": ("Wat gevonden is", "What was found"),
    "review.weight": ("Gewicht", "Weight"),
    "review.weight.hint": (
        "Elk punt erbij maakt één persoon twee keer zo waarschijnlijk, elk punt eraf de helft.",
        "Each point more makes one person twice as likely, each point less half as likely.",
    ),
    "review.field.surname": ("Achternaam", "Surname"),
    "review.field.prefix": ("Voorvoegsel", "Prefix"),
    "review.field.initials": ("Voorletters", "Initials"),
    "review.field.first_names": ("Voornamen", "First names"),
    "review.field.birth_date": ("Geboortedatum", "Date of birth"),
    "review.field.postcode": ("Postcode", "Postcode"),
    "review.field.house_number": ("Huisnummer", "House number"),
    "review.field.house_letter": ("Huisletter", "House letter"),
    "review.field.house_number_addition": ("Toevoeging", "Addition"),
    "review.field.phone": ("Telefoon", "Telephone"),
    "review.field.email": ("E-mail", "E-mail"),
    "error.403.title": ("Niet gedaan", "Not done"),
    "error.403": (
        "Dit formulier was verlopen of niet van deze sessie. Ga terug, ververs de pagina en probeer "
        "het opnieuw.",
        "This form had expired or was not of this session. Go back, reload the page and try again.",
    ),
    "error.400.title": ("Dat is niet te lezen", "That cannot be read"),
    "error.400": ("Wat er gestuurd is, past niet bij deze pagina.", "What was sent does not fit this page."),
    "error.405.title": ("Dat kan hier niet", "Not possible here"),
    "error.405": ("Deze pagina kent die handeling niet.", "This page does not know that action."),
    "error.500.title": ("Er ging iets mis", "Something went wrong"),
    "error.500": (
        "De fout is vastgelegd zonder gegevens van mensen. Probeer het opnieuw of waarschuw de beheerder.",
        "The error is on record without anyone’s data. Try again or tell the operator.",
    ),
    "error.503.title": ("Even niet bereikbaar", "Not reachable just now"),
    "error.503": (
        "De database antwoordt niet. Er gaat niets verloren. Probeer het over een minuut opnieuw.",
        "The database does not answer. Nothing is lost. Try again in a minute.",
    ),
    **{f"told.{reason}": words for reason, words in TOLD.items()},
}


def text(key: str, language: str, **values: object) -> str:
    """The words for `key`. Raises KeyError for a key that does not exist: a template with a slip must not pass a test."""
    nl, en = TEXTS[key]
    words = en if language == "en" else nl
    return words.format(**values) if values else words


def known(key: str, language: str) -> str | None:
    """The words for `key`, or None; for ids that come from the database."""
    return text(key, language) if key in TEXTS else None


def label(words: object, language: str) -> str:
    """One language of a declared label `{nl, en}`; a plain text is returned as it is, anything else as ''."""
    if isinstance(words, str):
        return words
    if isinstance(words, Mapping):
        found = words.get(language) or words.get("nl") or words.get("en")
        return found if isinstance(found, str) else ""
    return ""


def plain(identifier: str) -> str:
    """An id nobody wrote words for, readable: `since_when` as `since when`."""
    return identifier.replace("_", " ").replace("-", " ").strip()


def long_date(day: date, language: str) -> str:
    """Such as 3 november 2026."""
    return f"{day.day} {_MONTHS[language][day.month - 1]} {day.year}"


def short_date(day: date, language: str) -> str:
    """Such as 3 nov."""
    return f"{day.day} {_MONTHS[language][day.month - 1][:3]}"


def month_name(month: str, language: str, this_year: int) -> str:
    """`2026-11` as november; with the year when it is another one."""
    year, number = month.split("-")
    return _MONTHS[language][int(number) - 1] + ("" if int(year) == this_year else f" {year}")


def local(moment: datetime) -> datetime:
    """The moment on a clock in the Netherlands."""
    return moment.astimezone(AMSTERDAM)


def euros(amount: int | float, language: str) -> str:
    """Whole euros without cents, in the notation of the language."""
    words = f"{amount:,.0f}" if float(amount).is_integer() else f"{amount:,.2f}"
    return f"€ {words.translate(str.maketrans(',.', '.,')) if language == 'nl' else words}"


def count(number: int, language: str) -> str:
    """A count with thousands marked."""
    return f"{number:,}".replace(",", "." if language == "nl" else ",")
