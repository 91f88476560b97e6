--
-- PostgreSQL database dump, as version 17 writes it
--

\restrict aVeryRandomWord

SET statement_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);

CREATE EXTENSION IF NOT EXISTS pgcrypto WITH SCHEMA public;

CREATE TABLE public."SequelizeMeta" (
    name character varying(255) NOT NULL
);

CREATE TABLE public.user_roles (
    "createdAt" timestamp with time zone NOT NULL,
    "updatedAt" timestamp with time zone NOT NULL,
    "roleId" integer NOT NULL,
    "userId" integer NOT NULL
);

CREATE TABLE public.customers (
    id integer NOT NULL,
    name character varying(255),
    email character varying(255),
    company character varying(255),
    "sessionName" character varying(255),
    "sessionType" character varying(255),
    notebook character varying(255),
    location character varying(255),
    proxy character varying(255),
    active boolean DEFAULT false NOT NULL,
    "studentId" integer,
    "createdAt" timestamp with time zone,
    "updatedAt" timestamp with time zone
);

CREATE SEQUENCE public.customers_id_seq AS integer START WITH 1;
ALTER SEQUENCE public.customers_id_seq OWNED BY public.customers.id;
ALTER TABLE ONLY public.customers ALTER COLUMN id SET DEFAULT nextval('public.customers_id_seq'::regclass);

CREATE TABLE public.locations (
    id integer NOT NULL,
    name character varying(255),
    basestdid integer,
    proto character varying(255),
    port character varying(255),
    "createdAt" timestamp with time zone,
    "updatedAt" timestamp with time zone
);

CREATE SEQUENCE public.locations_id_seq AS integer START WITH 1;
ALTER SEQUENCE public.locations_id_seq OWNED BY public.locations.id;
ALTER TABLE ONLY public.locations ALTER COLUMN id SET DEFAULT nextval('public.locations_id_seq'::regclass);

CREATE TABLE public.roles (
    id integer NOT NULL,
    name character varying(255),
    "createdAt" timestamp with time zone,
    "updatedAt" timestamp with time zone
);

CREATE SEQUENCE public.roles_id_seq AS integer START WITH 1;
ALTER SEQUENCE public.roles_id_seq OWNED BY public.roles.id;
ALTER TABLE ONLY public.roles ALTER COLUMN id SET DEFAULT nextval('public.roles_id_seq'::regclass);

CREATE TABLE public.special_badges (
    id integer NOT NULL,
    title character varying(255),
    description text,
    "badgeImg" character varying(255),
    "createdAt" timestamp with time zone,
    "updatedAt" timestamp with time zone
);

CREATE SEQUENCE public.special_badges_id_seq AS integer START WITH 1;
ALTER SEQUENCE public.special_badges_id_seq OWNED BY public.special_badges.id;
ALTER TABLE ONLY public.special_badges ALTER COLUMN id SET DEFAULT nextval('public.special_badges_id_seq'::regclass);

CREATE TABLE public.students (
    id integer NOT NULL,
    username character varying(255),
    location character varying(255),
    url character varying(255),
    password character varying(255),
    assigned boolean DEFAULT false NOT NULL,
    "createdAt" timestamp with time zone,
    "updatedAt" timestamp with time zone
);

CREATE SEQUENCE public.students_id_seq AS integer START WITH 1;
ALTER SEQUENCE public.students_id_seq OWNED BY public.students.id;
ALTER TABLE ONLY public.students ALTER COLUMN id SET DEFAULT nextval('public.students_id_seq'::regclass);

CREATE TABLE public.users (
    id integer NOT NULL,
    username character varying(255),
    email character varying(255),
    password character varying(255),
    "createdAt" timestamp with time zone,
    "updatedAt" timestamp with time zone
);

CREATE SEQUENCE public.users_id_seq AS integer START WITH 1;
ALTER SEQUENCE public.users_id_seq OWNED BY public.users.id;
ALTER TABLE ONLY public.users ALTER COLUMN id SET DEFAULT nextval('public.users_id_seq'::regclass);

CREATE TABLE public.workshops (
    id integer NOT NULL,
    name character varying(255),
    notebook character varying(255),
    description text,
    "sessionType" character varying(255),
    active boolean DEFAULT false NOT NULL,
    capacity integer,
    priority integer,
    range integer[],
    reset boolean DEFAULT false NOT NULL,
    ldap boolean DEFAULT false NOT NULL,
    avatar character varying(255),
    role character varying(255),
    "replayLink" character varying(255),
    compile character varying(255),
    varpass boolean DEFAULT false NOT NULL,
    "replayId" integer,
    "workshopImg" character varying(255),
    "badgeImg" character varying(255),
    monoappliance boolean DEFAULT false NOT NULL,
    multiappliance boolean DEFAULT false NOT NULL,
    beta boolean DEFAULT false NOT NULL,
    category character varying(255)[],
    duration integer,
    presenter character varying(255),
    location character varying(255),
    "alternateLocation" character varying(255)[],
    "createdAt" timestamp with time zone,
    "updatedAt" timestamp with time zone
);

CREATE SEQUENCE public.workshops_id_seq AS integer START WITH 1;
ALTER SEQUENCE public.workshops_id_seq OWNED BY public.workshops.id;
ALTER TABLE ONLY public.workshops ALTER COLUMN id SET DEFAULT nextval('public.workshops_id_seq'::regclass);

COPY public."SequelizeMeta" (name) FROM stdin;
01-tables.js
\.

COPY public.user_roles ("createdAt", "updatedAt", "roleId", "userId") FROM stdin;
2026-01-02 03:04:05.678+00	2026-01-02 03:04:05.678+00	1	1
2026-01-02 03:04:05.678+00	2026-01-02 03:04:05.678+00	2	1
2026-01-02 03:04:05.678+00	2026-01-02 03:04:05.678+00	1	2
2026-01-02 03:04:05.678+00	2026-01-02 03:04:05.678+00	3	2
2026-01-02 03:04:05.678+00	2026-01-02 03:04:05.678+00	2	3
\.

COPY public.customers (id, name, email, company, "sessionName", "sessionType", notebook, location, proxy, active, "studentId", "createdAt", "updatedAt") FROM stdin;
1	Guest "one"	one@example.org	ACME \\ Söhne	Ports101 - a workshop	Workshops-on-Demand	WKSHP-Ports101	hub-before	wod	t	1	2026-01-02 03:04:05.678+00	2026-01-02 03:04:05.678+00
2	Guest two	two@example.org	a\tb	Ports101 - a workshop	Workshops-on-Demand	WKSHP-Ports101	hub-before	wod	f	2	2026-01-02 03:04:05.678+00	2026-01-02 03:04:05.678+00
\.

COPY public.locations (id, name, basestdid, proto, port, "createdAt", "updatedAt") FROM stdin;
1	hub-before	0	http	8000	2026-01-02 03:04:05.678+00	2026-01-02 03:04:05.678+00
\.

COPY public.roles (id, name, "createdAt", "updatedAt") FROM stdin;
1	user	2026-01-02 03:04:05.678+00	2026-01-02 03:04:05.678+00
2	moderator	2026-01-02 03:04:05.678+00	2026-01-02 03:04:05.678+00
3	admin	2026-01-02 03:04:05.678+00	2026-01-02 03:04:05.678+00
\.

COPY public.special_badges (id, title, description, "badgeImg", "createdAt", "updatedAt") FROM stdin;
1	Beginner	For who has done 1 workshops	http://site/img/badges/1.jpg	2026-01-02 03:04:05.678+00	2026-01-02 03:04:05.678+00
99	Ours	A badge of our own	http://site/img/badges/99.jpg	2026-01-02 03:04:05.678+00	2026-01-02 03:04:05.678+00
\.

COPY public.students (id, username, location, url, password, assigned, "createdAt", "updatedAt") FROM stdin;
1	student1	hub-before	http://hub-before:8000/user/student1/lab?	pw-1	t	2026-01-02 03:04:05.678+00	2026-01-02 03:04:05.678+00
2	student2	hub-before	http://hub-before:8000/user/student2/lab?	pw-2	t	2026-01-02 03:04:05.678+00	2026-01-02 03:04:05.678+00
3	student3	hub-before	http://hub-before:8000/user/student3/lab?	pw-3	f	2026-01-02 03:04:05.678+00	2026-01-02 03:04:05.678+00
\.

COPY public.users (id, username, email, password, "createdAt", "updatedAt") FROM stdin;
1	moderator	dummy	public	2026-01-02 03:04:05.678+00	2026-01-02 03:04:05.678+00
2	hackshack	dummy	public	2026-01-02 03:04:05.678+00	2026-01-02 03:04:05.678+00
3	teamlead	lead@example.org	$2b$10$a.password.that.nobody.knows	2026-01-02 03:04:05.678+00	2026-01-02 03:04:05.678+00
\.

COPY public.workshops (id, name, notebook, description, "sessionType", active, capacity, priority, range, reset, ldap, avatar, role, "replayLink", compile, varpass, "replayId", "workshopImg", "badgeImg", monoappliance, multiappliance, beta, category, duration, presenter, location, "alternateLocation", "createdAt", "updatedAt") FROM stdin;
7	Ports101 - a workshop	WKSHP-Ports101	What it was about	Workshops-on-Demand	t	1	1	{1,2}	f	f	/img/nobody.png	Tester	\N	false	f	1	/img/Ports101.jpg	Badge-Ports101	f	f	f	{"Open Source",Tests}	1	Nobody	hub-before	{""}	2026-01-02 03:04:05.678+00	2026-01-02 03:04:05.678+00
\.

SELECT pg_catalog.setval('public.customers_id_seq', 2, true);
SELECT pg_catalog.setval('public.locations_id_seq', 1, true);
SELECT pg_catalog.setval('public.roles_id_seq', 3, true);
SELECT pg_catalog.setval('public.special_badges_id_seq', 99, true);
SELECT pg_catalog.setval('public.students_id_seq', 3, true);
SELECT pg_catalog.setval('public.users_id_seq', 3, true);
SELECT pg_catalog.setval('public.workshops_id_seq', 7, true);

ALTER TABLE ONLY public."SequelizeMeta" ADD CONSTRAINT "SequelizeMeta_pkey" PRIMARY KEY (name);
ALTER TABLE ONLY public.user_roles ADD CONSTRAINT user_roles_pkey PRIMARY KEY ("roleId", "userId");
ALTER TABLE ONLY public.customers ADD CONSTRAINT customers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.locations ADD CONSTRAINT locations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.roles ADD CONSTRAINT roles_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.special_badges ADD CONSTRAINT special_badges_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.students ADD CONSTRAINT students_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.users ADD CONSTRAINT users_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.workshops ADD CONSTRAINT workshops_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.user_roles
    ADD CONSTRAINT "user_roles_roleId_fkey" FOREIGN KEY ("roleId") REFERENCES public.roles(id) ON UPDATE CASCADE ON DELETE CASCADE;
ALTER TABLE ONLY public.user_roles
    ADD CONSTRAINT "user_roles_userId_fkey" FOREIGN KEY ("userId") REFERENCES public.users(id) ON UPDATE CASCADE ON DELETE CASCADE;

\unrestrict aVeryRandomWord
