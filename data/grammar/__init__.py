"""The bilingual grammar behind the built-in English-French corpus."""
