-- Neovim 0.11 or newer: put this file into `~/.config/nvim/lsp/` and write `vim.lsp.enable("unleak")` into `init.lua`.
return {
  cmd = { "unleak", "server" },
  filetypes = { "python" },
  root_markers = { "unleak.toml", "pyproject.toml", "setup.py", "setup.cfg", ".git" },
  settings = { unleak = {} },
}
