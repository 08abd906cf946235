;;; unleak.el --- Where Python leaks, with Eglot  -*- lexical-binding: t -*-

;; Eglot (part of Emacs 29 and newer) runs one server for a buffer. Where another one serves Python already, run both
;; behind a multiplexer such as `rass' or `lspx'; or use lsp-mode, which runs several.

(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs '((python-mode python-ts-mode) . ("unleak" "server"))))

(add-hook 'python-mode-hook #'eglot-ensure)
(add-hook 'python-ts-mode-hook #'eglot-ensure)

;; Settings: what the command line says otherwise.
;; (setq-default eglot-workspace-configuration '(:unleak (:minConfidence "low")))

(with-eval-after-load 'lsp-mode
  (lsp-register-client
   (make-lsp-client
    :new-connection (lsp-stdio-connection '("unleak" "server"))
    :activation-fn (lsp-activate-on "python")
    :add-on? t
    :multi-root t
    :server-id 'unleak)))

(provide 'unleak)
;;; unleak.el ends here
