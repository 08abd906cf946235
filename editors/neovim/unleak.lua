-- Neovim 0.11 or newer: put this file into `~/.config/nvim/lsp/` and write `vim.lsp.enable("unleak")` into `init.lua`.
return {
  cmd = { "unleak", "server" },
  filetypes = { "python" },
  root_markers = { "unleak.toml", "pyproject.toml", "setup.py", "setup.cfg", ".git" },
  settings = { unleak = {} },
  handlers = {
    -- An edit has changed what is found in other files. Neovim 0.12 then asks for all files that are not open, but leaves
    -- open ones as they are until they are edited themselves.
    ["workspace/diagnostic/refresh"] = function(err, result, context)
      local client = vim.lsp.get_client_by_id(context.client_id)
      for buffer in pairs(client and vim.fn.has("nvim-0.12") == 1 and client.attached_buffers or {}) do
        local document = vim.lsp.util.make_text_document_params(buffer)
        client:request("textDocument/diagnostic", { identifier = "unleak", textDocument = document }, nil, buffer)
      end
      return vim.lsp.diagnostic.on_refresh(err, result, context)
    end,
  },
}
