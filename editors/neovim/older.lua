-- Neovim 0.7 to 0.10: write this into `init.lua`.
vim.api.nvim_create_autocmd("FileType", {
  pattern = "python",
  callback = function(event)
    local markers = { "unleak.toml", "pyproject.toml", "setup.py", "setup.cfg", ".git" }
    local name = vim.api.nvim_buf_get_name(event.buf)
    local root = nil
    for _, marker in ipairs(markers) do
      local folder = vim.fn.finddir(marker, vim.fn.fnamemodify(name, ":h") .. ";")
      local file = vim.fn.findfile(marker, vim.fn.fnamemodify(name, ":h") .. ";")
      local found = folder ~= "" and folder or file
      if found ~= "" then
        root = vim.fn.fnamemodify(found, ":p:h")
        -- A folder's own name ends with a slash, and `:h` takes only that away.
        root = folder ~= "" and vim.fn.fnamemodify(root, ":h") or root
        break
      end
    end
    root = root or vim.fn.fnamemodify(name, ":h")
    unleak_clients = unleak_clients or {}
    unleak_clients[root] = unleak_clients[root]
      or vim.lsp.start_client({ name = "unleak", cmd = { "unleak", "server" }, root_dir = root })
    vim.lsp.buf_attach_client(event.buf, unleak_clients[root])
  end,
})
