"""Agents: who answers a call, and how; one TOML file each.

`load_agent("clinic")` reads an agent of this package, `load_agent("desk.toml")` a file of your own.
Times end in their unit. The two limits that an agent leaves out are the node's (`Settings`).

Errors: `AgentError` names the file, the line, each wrong value and what is wrong with it.

Source: voice agents of the specification (000, "Voice Agent"; 002, "Assistant"); Deepgram: listen
v1 and speak v1, query parameters; Bedrock: Converse, `inferenceConfig` and `toolSpec`.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from aybiza.config.agent_types import get_optimal_voice_for_context, get_system_prompt
from aybiza.config.analysis import Analysis
from aybiza.config.file_names import path_of
from aybiza.config.hours import Hours, Zone
from aybiza.config.languages import (
    MOST,
    ListenModel,
    Speaks,
    Spoken,
    Tag,
    Word,
    changes,
    deaf_to_some,
    voiceless,
    wrong,
)
from aybiza.config.menus import Menu, Name, Prompt, placed
from aybiza.config.menus import wrong as misled
from aybiza.config.others import ChatModel, Voice, is_elevenlabs
from aybiza.config.outgoing import Outgoing
from aybiza.config.phrases import keys, phrases
from aybiza.config.recording import Recording
from aybiza.config.shapes import shaped
from aybiza.config.table_faults import faults_of, shown
from aybiza.config.tables import TABLE
from aybiza.config.toml_file import TomlError, read_toml, table_of
from aybiza.config.toml_lines import line_of
from aybiza.config.toml_lines import placed as place_of

FOLDER = Path(__file__).with_name("agents")
EXAMPLES = Path(__file__).parent.parent / "examples"
"""Where the tools are that come with the package, a folder each."""

Number = Annotated[
    str, shaped(r"\+[1-9][0-9]{3,14}", "a telephone number with its country, such as +14155550100")
]
"""A telephone number as E.164 writes it, such as +14155550100."""
Line = Annotated[
    str,
    shaped(
        r"\+[1-9][0-9]{3,14}|sips?:[^\s<>\"]{1,200}",
        "a telephone number with its country, such as +14155550100, or a SIP address",
    ),
]
"""A telephone number as E.164 writes it, or a SIP address."""
ToolName = Annotated[
    str, shaped(r"[A-Za-z0-9_-]{1,64}", "the name of a tool: letters, digits, _ and -, 64 at most")
]
_INSIDE = frozenset({"end_call", "transfer_to_person"})
"""The tools that give what is said to nobody."""


class AgentError(ValueError):
    """An agent cannot be read; the text says which one and why, `problems` has a line for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Agent(BaseModel):
    """An agent, frozen. Texts are spoken to the caller as they stand. What its file leaves out of
    them is said in its language, if `aybiza.config.phrases` has it; the defaults are English."""

    model_config = TABLE

    name: Word
    """How the agent is called in logs."""
    type: Annotated[
        str, shaped("[a-z][a-z0-9_]*", "a type such as customer_service: small letters and _")
    ] = "customer_service"
    """`customer_service`, `technical_support`, `sales_assistant` or another kind."""
    system_prompt: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] = Field(
        default_factory=lambda data: get_system_prompt({"type": data.get("type")})
    )
    """What the model is told before the conversation; left out: the prompt of its type."""
    custom_instructions: Annotated[str, StringConstraints(strip_whitespace=True)] = ""
    """What the model is told behind it."""

    health_data: bool = False
    """Whether callers speak of their health: nothing that is said is logged, kept beyond the node's
    process, cached, or given to anybody but Deepgram, Bedrock, the carrier and `health_tools`."""
    health_tools: Annotated[tuple[ToolName, ...], Field(strict=False)] = ()
    """Those of `tools` that may be given what is said where `health_data` is set: who runs what is
    behind them may have it."""

    greeting: Spoken
    """The first words of a call."""
    silence_prompt: Spoken = "Are you still there?"
    """Asked when the caller is silent for `silence_timeout_s`."""
    filler: Spoken = "One moment, please."
    """Bridges the time while an answer is late."""
    more_fillers: Annotated[tuple[Spoken, ...], Field(max_length=20, strict=False)] | None = None
    """What follows the filler, one after the other, while the caller still waits; None: the usual
    ones, and where nobody has translated them the filler again."""
    late: Spoken = (
        "I'm sorry, this is taking longer than it should. Can I help you with anything else?"
    )
    """Said in place of an answer that has not come behind all fillers."""
    error: Spoken = "I'm sorry, something went wrong on my side. Could you say that again?"
    """Said when no answer could be had."""
    error_after_write: Spoken = (
        "I'm sorry, I have trouble answering just now. What you asked for may be done already, so"
        " there is no need to ask for it again. Is there anything else?"
    )
    """Said in its place when a tool has already changed something in this turn."""
    refusal: Spoken = "I'm sorry, I can't help with that. Is there anything else I can do?"
    """Said when an answer was withheld and nothing was given in its place."""
    busy: Spoken = "All our lines are busy. Please call again in a few minutes."
    """Said, by the carrier's voice, when the node can take no further call."""
    over_quota: Spoken = (
        "I'm sorry, I can't go on with this call. What was done so far stays. Please call us again"
        " later."
    )
    """The last words of a call whose quota is reached."""
    bridge: Spoken = "Sorry, we were cut off for a moment."
    """The first words after the line broke and the caller is back."""
    ask_again: Spoken = "Could you say that again, please?"
    """Follows the bridge when it is the caller's turn."""
    keys_again: Spoken = "What you entered was lost. Please enter all of it again."
    """Said behind the bridge in place of `ask_again`, when keys that are masked went with the line:
    nobody else was told them."""
    closing: Spoken = "Thank you for calling. Goodbye."
    """The last words of a call that the agent ends."""
    hours: Hours = {}
    """When the agent is there, by its `zone`; left out: always."""
    closed: Spoken = "We are closed just now. Please call again during our opening hours. Goodbye."
    """All that a caller hears outside of the hours."""
    fallback_number: Number | None = None
    """Who is called when speech has failed the agent; None: nobody."""

    transfer_numbers: dict[Word, Line] = {}
    """Whom `transfer_to_person` may put a caller through to, by name; the first unless another is
    asked for."""
    transfer_timeout_s: Annotated[int, Field(ge=5, le=120)] = 25
    """How long it rings there before the caller is back with the agent."""
    transfer_style: Literal["cold", "summary", "accept"] = "cold"
    """What the person hears before the caller is connected: `cold` nothing, `summary` what the call
    was about, `accept` the same, and the call is theirs only if they press a key."""
    transfer_summary: Spoken = "A caller for you. They said:"
    """What the summary begins with."""
    transfer_accept: Spoken = "To take the call, press any key."
    """Asks the person for a key."""
    transfer_busy: Spoken = "I'm sorry, the line there is busy. Is there anything else I can do?"
    """Said to a caller who is back because the line was busy."""
    transfer_unanswered: Spoken = (
        "I'm sorry, nobody is answering there just now. Is there anything else I can do?"
    )
    """Said to a caller who is back because nobody took the call."""
    transfer_failed: Spoken = (
        "I'm sorry, I could not put you through. Is there anything else I can do?"
    )
    """Said to a caller who is back because the call could not be put through."""

    recording: Recording | None = None
    """How calls are recorded; None: they are not."""
    recording_notice: Spoken = "This call is recorded."
    """Said ahead of the greeting to callers who need only be told of it."""
    recording_question: Spoken = "May this call be recorded?"
    """Said behind the greeting to callers who have to agree; what they say first is the answer."""

    outbound: Outgoing | None = None
    """How it behaves on calls that it places; None: as on others, and it hangs up on machines."""
    analysis: Analysis | None = None
    """What is made of calls when they are over; None: nothing."""

    language: Annotated[
        str,
        shaped("[a-z]{2,3}(-[A-Za-z0-9]+)*|multi", "a language such as en-US or de, or multi"),
    ] = "en-US"
    """Language of the recogniser, as BCP 47 writes it; `multi` for several. Left out: the first of
    `languages`."""
    speaks: dict[Tag, Speaks] = {}
    """What is said, and how, in one of the further languages; what stands not in it is the
    package's in that language."""
    languages: Annotated[
        tuple[Tag, ...], Field(max_length=MOST, strict=False, validate_default=True)
    ] = ()
    """The languages that the agent speaks, where there are several. A call begins in the first and
    goes on in whichever the caller speaks, or asks for (`aybiza.dialogue.languages`)."""
    zone: Zone | None = None
    """Where the agent is, as the IANA names time zones, such as `Europe/Berlin`: the model is told
    the day and the time there. None: the zone of the node."""
    listen_model: ListenModel = "nova-3"
    """Recogniser of Deepgram; a `flux-` model tells turns by itself."""
    voice: Voice = Field(
        default_factory=lambda data: get_optimal_voice_for_context(
            {"agent_type": data.get("type"), "language": data.get("language")}, rules="call"
        )
    )
    """Voice model of Deepgram, or `elevenlabs:` and the id of a voice there (behind a slash the
    model: `/eleven_multilingual_v2`); left out: Deepgram's of its type and its language."""
    second_voice: Voice | None = None
    """The voice that speaks while the first one fails; None: no other."""
    keyterms: Annotated[tuple[Word, ...], Field(max_length=100, strict=False)] = ()
    """Names and words that the recogniser is to expect."""
    endpointing_ms: Annotated[int, Field(ge=10, le=5_000)] = 300
    """Silence that ends a segment of speech."""
    utterance_end_ms: Annotated[int, Field(ge=1_000, le=5_000)] = 1_000
    """Gap between words that ends an utterance where noise hides the silence."""
    barge_in: bool = True
    """Whether the caller may interrupt the agent."""
    barge_in_words: Annotated[int, Field(ge=0, le=10)] = 1
    """How many words it takes; 0: a voice alone does."""
    barge_in_voice_ms: Annotated[int, Field(ge=0, le=5_000)] = 0
    """For how long a voice must have been heard before its words interrupt."""
    back_channels: Annotated[tuple[Word, ...], Field(max_length=100, strict=False)] = ()
    """What interrupts nothing and is no answer while the agent speaks, beside the "mm-hm" and
    "uh-huh" of its language."""
    greeting_yields: bool = True
    """Whether the greeting may be interrupted."""
    protected: Annotated[tuple[Spoken, ...], Field(max_length=50, strict=False)] = ()
    """Texts that may not be interrupted, such as what the law has callers told."""
    patience_ms: Annotated[int, Field(ge=0, le=2_000)] = 800
    """How much longer a caller is heard out who was asked for digits, a name, a date or an
    address."""
    keys_end: Literal["", "#", "*"] = ""
    """The key that ends what a caller enters, and is told to nobody; left out: none does."""
    keys_most: Annotated[int, Field(ge=1, le=64)] | None = None
    """So many keys are all that is entered; None: however many."""
    keys_wait_ms: Annotated[int, Field(ge=500, le=15_000)] | None = None
    """How long the next key is waited for; None: as long as for words."""
    keys_masked: bool = False
    """Whether what a caller enters is kept from the model, the memory and the log: tools alone
    have it (`ToolRun.keys`)."""
    menus: dict[Name, Menu] = {}
    """Menus of keys by name; `main` is open when a call begins. A caller who speaks leaves it, and
    keys that are in no menu are an entry like any other."""
    prompts: dict[Name, Prompt] = {}
    """Texts that are heard from a file, or as tones, wherever exactly they are said."""
    eager_answers: Annotated[int, Field(ge=0, le=3)] = 1
    """How often, in a turn, an answer is begun before it is sure that the caller is done. Nothing
    of it is said, and no tool runs, before that; what comes to nothing costs a request."""
    filler_after_ms: Annotated[int, Field(ge=200, le=3_000)] = 2_000
    """Silence after which a caller who waits for an answer hears the filler."""

    max_tokens: Annotated[int, Field(ge=1, le=4_096)] = 300
    """Longest answer of the model."""
    history_tokens: Annotated[int, Field(ge=2_000, le=500_000)] = 24_000
    """About how much of a long call the model is told word for word; older turns in short."""
    first_questions: Annotated[tuple[Spoken, ...], Field(max_length=20, strict=False)] = ()
    """What callers usually ask first: answered while the greeting is said, for who then asks it.
    An answer costs a request to a model in five minutes in which there are calls."""
    similar_answers: Annotated[float, Field(ge=0.5, le=1)] | None = None
    """How near in meaning a first question has to be to one that was answered lately, to have its
    answer; see `AYBIZA_EMBEDDINGS` for by what. None: only the same words have the same answer."""
    temperature: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Randomness of the model, where the model takes one; left out beside `top_p`: the model's,
    for most models take one of both."""
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    """Which share of the likeliest words the model chooses among, where it takes one."""
    top_k: Annotated[int, Field(ge=1, le=500)] | None = None
    """Among how many of them, where it takes one."""
    model: Annotated[str, StringConstraints(min_length=1, max_length=2_048)] | None = None
    """The model that answers first, one of the node's (`AWS_BEDROCK_MODELS`); None: the node's."""
    model_rule: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    """The rule that chooses the model of a turn (`aybiza.claude.rules`); None: the node's."""
    last_model: ChatModel | None = None
    """The chat model that is asked when none of Bedrock's answers, `openai:` and its name there
    (`OPENAI_API_KEY`, `OPENAI_BASE_URL`); None: nobody is."""
    tools: Annotated[tuple[ToolName, ...], Field(strict=False)] = ()
    """Names of the tools that the model may use."""
    tools_file: str = ""
    """A tools' file of the agent's own (`aybiza.dialogue.tools.catalogue`), by its path from the
    agent's file, or `clinic` for those of the demonstration; the node's file may have more."""
    isolation: Literal["none", "process"] = "none"
    """Whether each call has a node (an OS process) of its own; see AYBIZA_ISOLATION."""

    silence_timeout_s: Annotated[float, Field(ge=1, le=600)] | None = None
    """Time without words after which the caller is asked; None: the node's."""
    silence_again_s: Annotated[float, Field(ge=1, le=600)] | None = None
    """Time without words after which the call ends, when the caller was asked; None: twice
    `silence_timeout_s`."""
    max_duration_s: Annotated[float, Field(ge=10, le=14_400)] | None = None
    """Longest call; None: the node's."""
    retention_days: Annotated[int, Field(ge=1, le=3_650)] | None = None
    """After how many days a call is deleted from the memory; None: the node's."""

    @model_validator(mode="before")
    @classmethod
    def _translated(cls, given: Any) -> Any:
        """What is left out, in the agent's language."""
        if not isinstance(given, dict):
            return given
        match given.get("languages"):
            case [str(first), *_]:
                given = {"language": first, **given}
        language = given.get("language")
        return {**phrases(language), **given} if isinstance(language, str) else given

    @field_validator("languages")
    @classmethod
    def _can_be_had(cls, languages: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        first, speaks = info.data.get("language"), info.data.get("speaks")
        if first is not None and speaks is not None and (why := wrong(first, languages, speaks)):
            raise ValueError(why)
        return languages

    def speaking(self, language: str) -> "Agent":
        """The agent as it is while a call is in this one of its languages; "": in the first. It is
        for the agent of the file to be asked."""
        if not language or language == self.language or language not in self.languages:
            return self
        own = self.speaks.get(language, Speaks())
        fields = type(self).model_fields
        english = {key: fields[key].default for key in keys()}
        return self.model_copy(update=changes(language, self.type, own, english))

    @field_validator("listen_model")
    @classmethod
    def _hears_them(cls, model: str, info: ValidationInfo) -> str:
        tags = info.data.get("languages") or (info.data.get("language") or "en",)
        if (why := deaf_to_some(model, tags, info.data.get("speaks") or {})) is not None:
            raise ValueError(why)
        return model

    @field_validator("menus")
    @classmethod
    def _lead_somewhere(cls, menus: dict[str, Menu], info: ValidationInfo) -> dict[str, Menu]:
        if (why := misled(menus, info.data.get("transfer_numbers", {}))) is not None:
            raise ValueError(why)
        return menus

    @field_validator("recording")
    @classmethod
    def _nothing_is_kept(cls, recording: Recording | None, info: ValidationInfo) -> Any:
        if info.data.get("health_data") and recording is not None:
            raise ValueError("with health_data nothing that is said is kept")
        return recording

    @field_validator("analysis")
    @classmethod
    def _numbers_only(cls, analysis: Analysis | None, info: ValidationInfo) -> Any:
        asks = analysis is not None and (analysis.asks_a_model or analysis.judges_turns)
        if info.data.get("health_data") and asks:
            raise ValueError(
                "with health_data there are figures only: set summary = false, and leave out data,"
                " sentiment and intents"
            )
        return analysis

    @field_validator("keys_masked")
    @classmethod
    def _knows_the_key(cls, masked: bool, info: ValidationInfo) -> bool:
        recording = info.data.get("recording")
        if masked and recording is not None and recording.key is not None:
            raise ValueError("nobody is told which key it was that recording.key waits for")
        return masked

    @field_validator("transfer_style")
    @classmethod
    def _nothing_is_told_on(cls, style: str, info: ValidationInfo) -> str:
        if info.data.get("health_data") and style != "cold":
            raise ValueError("with health_data no carrier may say what the call is about")
        return style

    @field_validator("language")
    @classmethod
    def _lexicon_knows_it(cls, language: str, info: ValidationInfo) -> str:
        analysis = info.data.get("analysis")
        if analysis is not None and analysis.sentiment and not language.startswith("en"):
            raise ValueError("the lexicon of analysis.sentiment is English")
        return language

    @field_validator("voice", "second_voice", "speaks")
    @classmethod
    def _nobody_else_speaks(cls, given: Any, info: ValidationInfo) -> Any:
        voices = [given]
        if isinstance(given, dict):
            voices = [one for each in given.values() for one in (each.voice, each.second_voice)]
        if info.data.get("health_data") and any(map(is_elevenlabs, voices)):
            raise ValueError("with health_data nobody but Deepgram may speak")
        return given

    @property
    def sampling(self) -> dict[str, float | None]:
        """How freely the model is asked to speak. A temperature that no file has given would keep
        `top_p` from models that take one of both."""
        alone = self.top_p is not None and "temperature" not in self.model_fields_set
        temperature = None if alone else self.temperature
        return {"temperature": temperature, "top_p": self.top_p, "top_k": self.top_k}

    @property
    def voices(self) -> tuple[str, ...]:
        """All voices that the agent may speak with."""
        further = [one for each in self.speaks.values() for one in (each.voice, each.second_voice)]
        return tuple(one for one in (self.voice, self.second_voice, *further) if one is not None)

    @field_validator("last_model")
    @classmethod
    def _nobody_else_is_told(cls, model: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("health_data") and model is not None:
            raise ValueError("with health_data nobody but Bedrock may answer")
        return model

    @field_validator("tools")
    @classmethod
    def _may_have_it(cls, tools: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        allowed = {*_INSIDE, *info.data.get("health_tools", ())}
        others = [tool for tool in tools if tool not in allowed]
        if info.data.get("health_data") and others:
            raise ValueError(f"with health_data, name in health_tools who may have it: {others[0]}")
        return tools


def available() -> list[str]:
    """The names of the agents of this package."""
    # Beside an agent may stand the rules of its stand-in model.
    return sorted(path.stem for path in FOLDER.glob("*.toml") if "." not in path.stem)


def is_path(name_or_path: str) -> bool:
    """Whether this names a file, and not an agent of this package."""
    return name_or_path.endswith(".toml") or "/" in name_or_path


def load_agent(name_or_path: str) -> Agent:
    """The agent of this name in the package, or of this `.toml` file.

    Reads a file: call it before the event loop has calls to carry. Raises AgentError.
    """
    own = is_path(name_or_path)
    path = path_of(name_or_path) if own else FOLDER / f"{name_or_path}.toml"
    if not own and name_or_path not in available():
        raise AgentError(
            [
                f"there is no agent {name_or_path!r}; there are: {', '.join(available())};"
                " for a file of your own give its path, ending in .toml"
            ]
        )
    try:
        text, table = read_toml(path)
    except TomlError as error:
        raise AgentError([str(error)]) from None
    if "prompts" in table:
        table["prompts"] = placed(table["prompts"], path.parent)
    if isinstance(named := table.get("tools_file"), str) and named:
        table["tools_file"] = _tools_file(named, path, text)
    return _made(table, text, str(path))


def _tools_file(named: str, agent: Path, text: str) -> str:
    """The path of a tools' file that an agent names."""
    if is_path(named):
        return str(agent.parent / path_of(named))
    there_are = {path.parent.name: path for path in EXAMPLES.glob("*/tools.toml")}
    if named not in there_are:
        line = line_of(text, ("tools_file",))
        raise AgentError(
            [
                f"{agent}{f':{line}' if line else ''}: tools_file = {shown(named)}: there are no"
                f" tools of this name; there are: {', '.join(sorted(there_are))}; for a file of"
                " your own give its path, ending in .toml"
            ]
        )
    return str(there_are[named])


def agent_of(text: str, where: str) -> Agent:
    """The agent that this TOML describes; `where` it stands is for messages. Raises AgentError."""
    try:
        return _made(table_of(text, where), text, where)
    except TomlError as error:
        raise AgentError([str(error)]) from None


def _made(table: dict[str, Any], text: str, path: str) -> Agent:
    try:
        agent = Agent.model_validate(table)
    except ValidationError as error:
        raise AgentError(faults_of(error, Agent, text, path, "an agent")) from None
    if "voice" not in table and (told := voiceless(agent.language)) is not None:
        raise AgentError([f"{place_of(path, text, ('language',))}: {told}"])
    return agent
