;;; A session in Emacs with Eglot, set up by `editors/emacs/unleak.el': what happens is written to standard output and
;;; has to be what stands in `emacs.txt'. The current folder is a project of its own, `unleak' is on the PATH. -*- lexical-binding: t -*-

(require 'package)
(package-initialize)
(require 'eglot)
(require 'flymake)
(require 'project)

(defvar patience 30)
(setq make-backup-files nil
      create-lockfiles nil
      eglot-sync-connect 30
      flymake-no-changes-timeout 0.1
      eglot-send-changes-idle-time 0.05)

(defun say (&rest arguments)
  (princ (concat (apply #'format arguments) "\n")))

(defun write (name text)
  (let ((coding-system-for-write 'utf-8))
    (write-region text nil name nil 'silent)))

(defun wait-for (count buffer)
  "Wait until Flymake shows COUNT diagnostics in BUFFER."
  (with-current-buffer buffer
    (let ((until (+ (float-time) patience)))
      (while (and (/= (length (flymake-diagnostics)) count) (< (float-time) until))
        (accept-process-output nil 0.1))
      (unless (= (length (flymake-diagnostics)) count)
        (say "FAILED: %d diagnostics where %d were expected" (length (flymake-diagnostics)) count)
        (kill-emacs 1)))))

(defun show (name buffer)
  (with-current-buffer buffer
    (say "%s: %d found" name (length (flymake-diagnostics)))
    (dolist (found (flymake-diagnostics))
      (let ((start (flymake-diagnostic-beg found)) (end (flymake-diagnostic-end found)))
        (say "  %d:%d `%s' %s" (line-number-at-pos start) (1+ (save-excursion (goto-char start) (- start (line-beginning-position))))
             (buffer-substring-no-properties start end)
             (flymake-diagnostic-text found))))))

(defun open (name)
  (let ((buffer (find-file-noselect name)))
    (with-current-buffer buffer
      (python-mode)
      (apply #'eglot--connect (eglot--guess-contact))
      (flymake-start))
    buffer))

(set-language-environment "UTF-8")
(write "pyproject.toml" "")
(write "state.py" "NAMES = [\"é\", \"日本\", \"😀\"]; SEEN = set()\n")
(write "views.py" "import state


def handle(request):
    if request.id in state.SEEN:
        return None
    state.SEEN.add(request.id)
    return request.body
")
(call-process "git" nil nil nil "init" "-q")
(load (expand-file-name "editors/emacs/unleak.el" (getenv "ROOT")))
(remove-hook 'python-mode-hook #'eglot-ensure)

(say "# What one file holds, another fills")
(let ((state (open "state.py")) (views nil))
  (wait-for 1 state)
  (show "state.py" state)
  (say "# The other is edited and not saved")
  (setq views (find-file-noselect "views.py"))
  (with-current-buffer views
    (python-mode)
    (eglot--maybe-activate-editing-mode)
    (goto-char (point-max))
    (forward-line -1)
    (insert "    state.SEEN.discard(request.id)\n")
    (eglot--signal-textDocument/didChange))
  (wait-for 0 state)
  (show "state.py" state)
  (with-current-buffer state
    (eglot-shutdown (eglot-current-server)))
  (say "# The server is gone"))
