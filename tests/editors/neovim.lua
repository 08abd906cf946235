-- A session in Neovim: what happens is written to standard output, and has to be what
-- stands in `neovim.txt`. `UNLEAK` is the program, `ROOT` this repository; the current folder is a project of its own.
-- Neovim 0.11 and newer are set up by `editors/neovim/unleak.lua`; older ones are told diagnostics, newer ones ask.

local unleak = vim.env.UNLEAK
local root = vim.loop.cwd()
local PATIENCE = 30000

local function say(...)
  io.stdout:write(string.format(...), "\n")
end

local function write(name, text)
  local file = assert(io.open(root .. "/" .. name, "w"))
  file:write(text)
  file:close()
end

write("pyproject.toml", "")
write("files.py", [[
def read(path):
    日本 = open(path)
    text = 日本.read()
    if not text:
        raise ValueError("😀")
    return text
]])
write("state.py", 'NAMES = ["é", "日本", "😀"]; SEEN = set()\n')
write("views.py", [[
import state


def handle(request):
    if request.id in state.SEEN:
        return None
    state.SEEN.add(request.id)
    return request.body
]])

local clients = vim.lsp.get_clients or vim.lsp.get_active_clients
local client

if vim.lsp.enable then
  local set_up = dofile(vim.env.ROOT .. "/editors/neovim/unleak.lua")
  set_up.cmd = { unleak, "server" }
  vim.lsp.config("unleak", set_up)
  vim.lsp.enable("unleak")
else
  client = vim.lsp.start_client({ name = "unleak", cmd = { unleak, "server" }, root_dir = root })
end

local function open(name)
  vim.cmd("edit " .. name)
  local buffer = vim.api.nvim_get_current_buf()
  if vim.lsp.enable then
    vim.wait(PATIENCE, function()
      return #clients({ bufnr = buffer }) == 1
    end, 20)
    client = clients({ bufnr = buffer })[1].id
  else
    vim.lsp.buf_attach_client(buffer, client)
  end
  return buffer
end

local function wait_for(count, buffer)
  local seen = vim.wait(PATIENCE, function()
    return #vim.diagnostic.get(buffer) == count
  end, 20)
  if not seen then
    say("FAILED: %d diagnostics where %d were expected", #vim.diagnostic.get(buffer), count)
    vim.cmd("cquit")
  end
end

-- Where Neovim puts them, as the text that it underlines: bytes, so wide characters before it must have been counted.
local function show(name, buffer)
  say("%s: %d found", name, #vim.diagnostic.get(buffer))
  for _, found in ipairs(vim.diagnostic.get(buffer)) do
    local text = vim.api.nvim_buf_get_text(buffer, found.lnum, found.col, found.end_lnum, found.end_col, {})
    local item = found.user_data.lsp
    say("  %d:%d `%s` %s %s", found.lnum + 1, found.col + 1, text[1], item.code, found.message)
    for _, label in ipairs(item.relatedInformation or {}) do
      local where = label.location.uri:match("[^/]*$")
      say("    %s:%d %s", where, label.location.range.start.line + 1, label.message)
    end
  end
end

local function show_text(buffer)
  for _, line in ipairs(vim.api.nvim_buf_get_lines(buffer, 0, -1, false)) do
    say("  | %s", line)
  end
end

if client then
  vim.wait(PATIENCE, function()
    return vim.lsp.get_client_by_id(client) ~= nil and vim.lsp.get_client_by_id(client).initialized
  end, 20)
end

say("# A leaking file is opened")
local files = open("files.py")
wait_for(1, files)
show("files.py", files)

say("# Its fix is applied")
local found = vim.diagnostic.get(files)[1]
vim.api.nvim_win_set_cursor(0, { found.lnum + 1, found.col })
local parameters = vim.lsp.util.make_range_params(0, vim.lsp.get_client_by_id(client).offset_encoding)
parameters.context = { diagnostics = {} }
local answer = vim.lsp.buf_request_sync(files, "textDocument/codeAction", parameters, PATIENCE)
if answer[client].error then
  say("FAILED: %s", answer[client].error.message)
  vim.cmd("cquit")
end
for _, action in ipairs(answer[client].result) do
  say("  offered: %s", action.title)
end
for _, action in ipairs(answer[client].result) do
  if action.isPreferred then
    vim.lsp.util.apply_workspace_edit(action.edit, vim.lsp.get_client_by_id(client).offset_encoding)
  end
end
show_text(files)
wait_for(0, files)
show("files.py", files)

say("# What one file holds, another fills")
local state = open("state.py")
wait_for(1, state)
show("state.py", state)

say("# The other is edited and not saved")
local views = open("views.py")
vim.api.nvim_buf_set_lines(views, 7, 8, false, { "    state.SEEN.discard(request.id)", "    return request.body" })
wait_for(0, state)
show("state.py", state)

say("# The edit is taken back")
vim.cmd("undo")
wait_for(1, state)
show("state.py", state)

if vim.lsp.enable then
  vim.lsp.enable("unleak", false)
else
  vim.lsp.stop_client(client)
end
local gone = vim.wait(PATIENCE, function()
  return #clients() == 0
end, 20)
say(gone and "# The server is gone" or "FAILED: the server is still there")
vim.cmd("qall!")
