mod facts;
mod syntax;
