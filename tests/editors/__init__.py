"""Completion of mappings in VS Code, Neovim and JetBrains: the real yaml-language-server over stdio."""
