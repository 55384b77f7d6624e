-- A call of aybiza: forks the channel's audio to the node, both ways, and holds the channel while the
-- conversation lasts. A fork that breaks is started again under the same id, so that the
-- conversation goes on; keys go to the node as text.
--
-- Source: jambonz, freeswitch-modules: mod_audio_fork, `FORK_API_SYNTAX`.

local BUG = "aybiza"
local RATE = "8000"
local MAX_ROUNDS = 50
local SHORT_ROUNDS = 5

local api = freeswitch.API()
local uuid = session:get_uuid()
local url = session:getVariable("aybiza_url")

-- The arguments of the command are separated by spaces, so no value may have one.
local function plain(value)
  return (tostring(value or ""):gsub("[^%w+#*@._-]", ""))
end

local function metadata()
  return string.format(
    '{"call":"%s","From":"%s","To":"%s"}',
    plain(uuid),
    plain(session:getVariable("caller_id_number")),
    plain(session:getVariable("destination_number"))
  )
end

local function fork()
  local start = table.concat({
    uuid, "start", url, "mono", RATE, BUG, metadata(), "true", "true", RATE
  }, " ")
  return api:execute("uuid_audio_fork", start):sub(1, 3) == "+OK"
end

local function on_input(_, kind, input)
  if kind == "dtmf" then
    local text = string.format('{"type":"dtmf","digit":"%s"}', plain(input.digit))
    api:execute("uuid_audio_fork", table.concat({ uuid, "send_text", BUG, text }, " "))
  end
  return ""
end
_G.aybiza_on_input = on_input

-- Two events come under the name of a disconnect: the node's order, which has a body, and the end
-- of the connection, which has none.
local events = freeswitch.EventConsumer("CUSTOM", "mod_audio_fork::disconnect", 100)
events:bind("CUSTOM", "mod_audio_fork::connect_failed")

local function disconnected()
  local event = events:pop(0)
  while event do
    if event:getHeader("Unique-ID") == uuid then
      local body = event:getBody()
      return (body and body:find("over", 1, true)) and "over" or "lost"
    end
    event = events:pop(0)
  end
  return nil
end

session:setInputCallback("aybiza_on_input", "")

local rounds, short, outcome = 0, 0, nil
while session:ready() and rounds < MAX_ROUNDS and short < SHORT_ROUNDS and outcome ~= "over" do
  rounds, outcome = rounds + 1, nil
  local began = os.time()
  if fork() then
    while session:ready() and not outcome do
      -- Speech is laid over what is written to the channel, so something has to be.
      session:streamFile("silence_stream://1000")
      outcome = disconnected()
    end
    api:execute("uuid_audio_fork", table.concat({ uuid, "stop", BUG }, " "))
  end
  if outcome ~= "over" then
    short = (os.time() - began < 2) and short + 1 or 0
    session:sleep(500)
  end
end
