mod load;
mod syntax;
