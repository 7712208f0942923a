//! `#[derive(Describe)]`: the JSON schema of a type, from what serde reads to write it.
//!
//! # Why
//! A description that is written beside a type is wrong after the next change of the type. This one
//! reads the same fields and the same `#[serde(…)]` attributes as serde's own derive, and refuses an
//! attribute that it does not know: it cannot say something else than what is sent.
//!
//! It writes code for `parlance`'s `json::schema` alone.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, Field, Fields, GenericArgument, Lit, LitStr, Meta,
    Path, PathArguments, Result, Type, parse_macro_input,
};

/// Implements `json::schema::Describe` for a struct with named fields, or for an untagged enum.
///
/// `#[schema(name = "Chat")]` names the schema otherwise than the type without `Wire`.
/// `#[schema(words = Role::WORDS)]` lists what a text can be, and `#[schema(with = Type)]` describes a
/// field as another type.
#[proc_macro_derive(Describe, attributes(schema))]
pub fn describe(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    written(&input)
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

fn written(input: &DeriveInput) -> Result<Tokens> {
    let ident = &input.ident;
    let container = Attributes::read(&input.attrs)?;
    let name = container.name.clone().unwrap_or_else(|| {
        let name = ident.to_string();
        name.strip_suffix("Wire").unwrap_or(&name).to_owned()
    });
    let about = about(&input.attrs);
    let schema = match &input.data {
        Data::Struct(data) => object(&data.fields, &container)?,
        Data::Enum(data) if container.untagged => {
            let mut forms = Vec::new();
            for variant in &data.variants {
                forms.push(form(&variant.fields, &container)?);
            }
            quote!(crate::json::schema::any_of(vec![#(#forms),*]))
        }
        Data::Enum(_) | Data::Union(_) => {
            return Err(Error::new_spanned(
                ident,
                "only structs and untagged enums are described",
            ));
        }
    };
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    Ok(quote! {
        impl #generics crate::json::schema::Describe for #ident #arguments #bounds {
            fn schema(known: &mut crate::json::schema::Definitions) -> serde_json::Value {
                let origin = concat!(module_path!(), "::", stringify!(#ident));
                known.define(#name, origin, #about, |known| #schema)
            }
        }
    })
}

/// The code that makes the schema of one form of an untagged enum: one value, or an object.
fn form(fields: &Fields, container: &Attributes) -> Result<Tokens> {
    match (fields, fields.iter().next()) {
        (Fields::Unnamed(_), Some(field)) if fields.len() == 1 => {
            let kind = &field.ty;
            Ok(quote!(<#kind as crate::json::schema::Describe>::schema(known)))
        }
        _ => object(fields, container),
    }
}

/// The code that makes an object's schema.
fn object(fields: &Fields, container: &Attributes) -> Result<Tokens> {
    let Fields::Named(fields) = fields else {
        return Err(Error::new_spanned(
            fields,
            "only named fields are described",
        ));
    };
    let mut steps = Vec::new();
    for field in &fields.named {
        steps.push(property(field, container)?);
    }
    Ok(quote! {{
        let mut object = crate::json::schema::Object::new();
        #(#steps)*
        object.schema()
    }})
}

fn property(field: &Field, container: &Attributes) -> Result<Tokens> {
    let attributes = Attributes::read(&field.attrs)?;
    let Some(ident) = &field.ident else {
        return Err(Error::new_spanned(field, "only named fields are described"));
    };
    let plain = ident.to_string();
    let plain = plain.trim_start_matches("r#");
    let name = match (&attributes.rename, container.camel_case) {
        (Some(name), _) => name.clone(),
        (None, true) => camel_case(plain),
        (None, false) => plain.to_owned(),
    };
    // What is left out instead of being null is never null.
    let inner = attributes
        .is_left_out
        .then(|| inside_option(&field.ty))
        .flatten();
    let kind = inner.unwrap_or(&field.ty);
    let kind = attributes
        .with
        .as_ref()
        .map_or_else(|| quote!(#kind), |with| quote!(#with));
    let schema = quote!(<#kind as crate::json::schema::Describe>::schema(known));
    let schema = match &attributes.words {
        Some(words) => quote!(crate::json::schema::with_words(#schema, #words)),
        None => schema,
    };
    if attributes.flatten {
        let is_optional = inside_option(&field.ty).is_some();
        let kind = inside_option(&field.ty).unwrap_or(&field.ty);
        return Ok(quote! {
            object.flatten(&<#kind as crate::json::schema::Describe>::schema(known), !#is_optional, known);
        });
    }
    let (about, is_required) = (about(&field.attrs), !attributes.is_left_out);
    Ok(quote!(object.property(#name, #schema, #is_required, #about);))
}

/// What the attributes of a type or a field say.
#[derive(Default)]
struct Attributes {
    name: Option<String>,
    words: Option<Path>,
    with: Option<Path>,
    rename: Option<String>,
    camel_case: bool,
    untagged: bool,
    is_left_out: bool,
    flatten: bool,
}

impl Attributes {
    fn read(attributes: &[Attribute]) -> Result<Self> {
        let mut read = Self::default();
        for attribute in attributes {
            if attribute.path().is_ident("schema") {
                attribute.parse_nested_meta(|meta| {
                    if meta.path.is_ident("name") {
                        read.name = Some(meta.value()?.parse::<LitStr>()?.value());
                    } else if meta.path.is_ident("words") {
                        read.words = Some(meta.value()?.parse()?);
                    } else if meta.path.is_ident("with") {
                        read.with = Some(meta.value()?.parse()?);
                    } else {
                        return Err(meta.error("a description knows name, words and with"));
                    }
                    Ok(())
                })?;
            } else if attribute.path().is_ident("serde") {
                attribute.parse_nested_meta(|meta| {
                    if meta.path.is_ident("rename") {
                        read.rename = Some(meta.value()?.parse::<LitStr>()?.value());
                    } else if meta.path.is_ident("rename_all") {
                        let case = meta.value()?.parse::<LitStr>()?;
                        read.camel_case = case.value() == "camelCase";
                        if !read.camel_case {
                            return Err(Error::new_spanned(case, "only camelCase is described"));
                        }
                    } else if meta.path.is_ident("skip_serializing_if") {
                        meta.value()?.parse::<LitStr>()?;
                        read.is_left_out = true;
                    } else if meta.path.is_ident("untagged") {
                        read.untagged = true;
                    } else if meta.path.is_ident("flatten") {
                        read.flatten = true;
                    } else {
                        return Err(meta.error("this attribute is not described"));
                    }
                    Ok(())
                })?;
            }
        }
        Ok(read)
    }
}

/// The first paragraph of a doc comment, on one line.
fn about(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| {
        let Meta::NameValue(pair) = &attribute.meta else {
            return None;
        };
        let Expr::Lit(literal) = &pair.value else {
            return None;
        };
        match &literal.lit {
            Lit::Str(text) if pair.path.is_ident("doc") => Some(text.value().trim().to_owned()),
            _ => None,
        }
    });
    let paragraph: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    paragraph.join(" ")
}

/// `T` of `Option<T>`.
fn inside_option(kind: &Type) -> Option<&Type> {
    let Type::Path(path) = kind else { return None };
    let last = path
        .path
        .segments
        .last()
        .filter(|segment| segment.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(kind) => Some(kind),
        _ => None,
    })
}

fn camel_case(name: &str) -> String {
    let mut parts = name.split('_');
    let mut camel = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        camel.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}
